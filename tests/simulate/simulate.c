/* Simulates runs: simulate [--seeds COUNT] [--seed FIRST] [--verbose]. One line, and 0 when nothing was wrong; else the
 * seed and what it was. */
#include "simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number_after(int *at, int argc, char **argv)
{
    char *end = NULL;
    uint64_t value = *at + 1 < argc ? strtoull(argv[++*at], &end, 10) : 0;
    if (!end || *end) {
        fprintf(stderr, "simulate: a number is missing\n");
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static world w;
    uint64_t seeds = 0, first = 1, tasks = 0, added = 0, runs = 0;
    bool verbose = false;
    for (int at = 1; at < argc; at++) {
        if (!strcmp(argv[at], "--seeds")) {
            seeds = number_after(&at, argc, argv);
        } else if (!strcmp(argv[at], "--seed")) {
            first = number_after(&at, argc, argv);
        } else if (!strcmp(argv[at], "--verbose")) {
            verbose = true;
        } else {
            fprintf(stderr, "usage: simulate [--seeds COUNT] [--seed FIRST] [--verbose]\n");
            return 2;
        }
    }
    seeds = seeds ? seeds : 1;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        if (!world_run(&w, seed, verbose)) {
            printf("seed %" PRIu64 ": %s\n", seed, w.text);
            return 1;
        }
        tasks += w.s.tasks;
        added += w.added;
        runs += w.begun;
    }
    printf("%" PRIu64 " runs with %" PRIu64 " tasks, and %" PRIu64 " that were added, begun %" PRIu64
           " times: nothing wrong\n",
           seeds, tasks, added, runs);
    return 0;
}
