/* Hosts of a test, all on this machine: each has a network of its own, an address, and a cable to a switch.
 *
 * They are network namespaces without names, held by descriptors: they are gone with all that is in them when the last process
 * that came of the test is, however it ended. The test's own process is on no host until it enters one. */
#ifndef RASK_TESTS_HOSTS_HOSTS_H
#define RASK_TESTS_HOSTS_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOSTS_MOST = 8, HOSTS_SWITCH = 0 };

/* Hosts are numbered from 1. */
typedef struct hosts {
    int spaces[HOSTS_MOST + 1];
    uint32_t count;
} hosts;

/* False: not to be had here, and why. A program that may not make networks is root in a user namespace of its own from
 * its start, where that is allowed. */
bool hosts_begin(hosts *h, uint32_t count, char *why, size_t capacity);
void hosts_end(hosts *h);
/* The calling thread is on that host, and whatever it starts from here on. */
bool hosts_enter(const hosts *h, uint32_t host);
/* "10.77.0.HOST" */
const char *hosts_address(uint32_t host, char text[16]);

/* Pulls the host's cable, or plugs it in: at the switch, so that neither end is told. */
bool hosts_plug(const hosts *h, uint32_t host, bool in);
/* What one host sends to another is lost on the way, one way. */
bool hosts_part(const hosts *h, uint32_t from, uint32_t to);
/* What the host sends is slow from here on. What it is slowed by; NULL: the kernel has nothing for that. */
const char *hosts_slow(const hosts *h, uint32_t host);

#endif
