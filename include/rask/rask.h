/* rask/rask.h: all of Rask. Delayed calls build a graph; a scheduler runs it. */
#ifndef RASK_RASK_H
#define RASK_RASK_H

#include <rask/array.h>
#include <rask/arrow.h>
#include <rask/bag.h>
#include <rask/base.h>
#include <rask/client.h>
#include <rask/cluster.h>
#include <rask/dashboard.h>
#include <rask/draw.h>
#include <rask/exchange.h>
#include <rask/graph.h>
#include <rask/grow.h>
#include <rask/join.h>
#include <rask/json.h>
#include <rask/observe.h>
#include <rask/options.h>
#include <rask/plan.h>
#include <rask/sugar.h>
#include <rask/table.h>
#include <rask/task.h>
#include <rask/text.h>
#include <rask/trace.h>
#include <rask/value.h>

#endif
