/* What futures.c does, by oneTBB's task_group, which has no futures: results are added up by who waits. */
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include "../measure.h"

namespace
{

/* Every task has a place to write to. */
bool submit_all(long count)
{
    long *results = static_cast<long *>(std::malloc(static_cast<size_t>(count) * sizeof *results));
    tbb::task_group group;
    for (long i = 0; i < count; i++)
        group.run([=] { results[i] = i; });
    group.wait();
    bool right = results[count - 1] == count - 1;
    std::free(results);
    return right;
}

bool go_and_come(long count)
{
    std::atomic<long> came{-1};
    for (long i = 0; i < count; i++) {
        tbb::task_group group;
        group.run([&came, i] { came = i; });
        group.wait();
        if (came != i)
            return false;
    }
    return true;
}

long grow(long leaves)
{
    if (leaves == 1)
        return 1;
    long left, right;
    tbb::task_group group;
    group.run([&] { left = grow(leaves / 2); });
    group.run([&] { right = grow(leaves / 2); });
    group.wait();
    return left + right;
}

bool grow_tree(long count)
{
    return grow(count / 2) == count / 2;
}

bool (*work_named(const char *name))(long)
{
    return !std::strcmp(name, "submit") ? submit_all
           : !std::strcmp(name, "trip") ? go_and_come
           : !std::strcmp(name, "tree") ? grow_tree
                                        : nullptr;
}

} // namespace

int main(int argc, char **argv)
{
    bool (*work)(long) = argc == 4 ? work_named(argv[1]) : nullptr;
    long count = work ? std::strtol(argv[3], nullptr, 10) : 0;
    if (count < 2) {
        std::fprintf(stderr, "usage: futures_tbb submit|trip|tree WORKERS COUNT\n");
        return 2;
    }
    int workers = std::atoi(argv[2]);
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(workers));
    tbb::task_arena arena(workers);
    bool right = true;
    double ns = 0;
    arena.execute([&] {
        go_and_come(100);
        double start = bench_now_ns();
        right = work(count);
        ns = bench_now_ns() - start;
    });
    if (right)
        std::printf("%.1f\n", ns / static_cast<double>(count));
    return right ? 0 : 1;
}
