#include "words_pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* A whole number of huge pages at least as large, so that none is split; 0: too little to be worth one. */
static size_t mapped_bytes(size_t bytes)
{
    return bytes < HUGE_PAGE || bytes > SIZE_MAX / 2 ? 0 : (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/* More is mapped than needed, and what lies around the huge pages is given back. */
static void *map_aligned(size_t bytes)
{
    char *memory = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    if (before)
        munmap(memory, before);
    munmap(memory + before + bytes, HUGE_PAGE - before);
    madvise(memory + before, bytes, MADV_HUGEPAGE);
    return memory + before;
}

void *words_pages_new(size_t bytes)
{
    size_t mapped = mapped_bytes(bytes);
    return mapped ? map_aligned(mapped) : calloc(1, bytes);
}

void words_pages_free(void *memory, size_t bytes)
{
    size_t mapped = mapped_bytes(bytes);
    if (mapped && memory)
        munmap(memory, mapped);
    else
        free(memory);
}
