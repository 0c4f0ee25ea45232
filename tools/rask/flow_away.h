/* Workflows on a cluster. What is done is known to the program that computes: before a command it looks, and afterwards it makes
 * the note. Between them the command runs on some worker, which sees the same folders under the same names. */
#ifndef FLOW_AWAY_H
#define FLOW_AWAY_H

#include "flow.h"

#include <rask/observe.h>

/* Before flow_build(). False: what is wrong is in error. The flow, and what the manner names, outlive the run; outcomes are written by the
 * calling process alone. */
bool flow_away_begin(const flow *f, const flow_manner *manner, char error[FLOW_ERROR]);
extern const flow_stages flow_away_stages;

/* Of the run, which it has to be given: it learns what failed. Behind flow_build(). NULL: no memory. */
const rask_observer *flow_away_observer(void);
void flow_away_end(void);

#endif
