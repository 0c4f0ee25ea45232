/* How things stand at a program that computes on a cluster. */
#ifndef CLUSTER_STATUS_H
#define CLUSTER_STATUS_H

#include "cluster.h"

/* Asks at the address, and prints what is told, as JSON or for people; the exit status. */
int cluster_status(const char *command, const char *address, const worker_fields *fields, bool json);

#endif
