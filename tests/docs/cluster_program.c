/* The program of docs/cluster.md: one that is no worker goes on. */
#include <rask/rask.h>

int main(int argc, char **argv)
{
    rask_cluster_init(&argc, &argv); /* a worker goes no further */
    /* the program, as for threads */
}
