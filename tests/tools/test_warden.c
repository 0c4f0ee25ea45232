/* What ends the commands of a killed process, when it is killed itself. */
#include "tools/rask/flow_warden.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 1 << 30 }; /* no group has that number */

static bool is_socket(int fd)
{
    struct stat about;
    return !fstat(fd, &about) && S_ISSOCK(about.st_mode);
}

/* As when it was killed: what is said is refused. */
static void lose(const flow_ward *ward)
{
    cr_assert_eq(shutdown(ward->line, SHUT_RDWR), 0);
    cr_assert_not(flow_warden_add(ward, NOBODY));
}

/* Who is about to start a command has the number, and uses it outside of the lock. */
Test(warden, the_number_of_its_line_is_never_another_files)
{
    flow_ward first, second;
    cr_assert_eq(flow_warden_begin(&first), 0);
    cr_assert(flow_warden_add(&first, NOBODY));
    flow_warden_keep(&first, NOBODY);
    lose(&first);
    flow_warden_remove(&first);
    cr_assert(is_socket(first.line));
    cr_assert_eq(flow_warden_begin(&second), 0);
    cr_assert_eq(second.line, first.line);
    cr_assert_neq(second.warden, first.warden);
    cr_assert_eq(fcntl(second.line, F_GETFD), FD_CLOEXEC);
    cr_assert(flow_warden_add(&second, NOBODY));
}

Test(warden, one_that_has_a_successor_is_waited_for)
{
    flow_ward ward;
    for (unsigned i = 1; i <= 3; i++) {
        cr_assert_eq(flow_warden_begin(&ward), 0);
        cr_assert_eq(ward.warden, i);
        lose(&ward);
        flow_warden_lost(&ward);
    }
    cr_assert_eq(flow_warden_begin(&ward), 0);
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), 0, "one child is there, and none has ended");
}

/* Whoever lost an earlier one has nothing against this one. */
Test(warden, one_that_has_come_meanwhile_stays)
{
    flow_ward early, late;
    cr_assert_eq(flow_warden_begin(&early), 0);
    lose(&early);
    flow_warden_lost(&early);
    cr_assert_eq(flow_warden_begin(&late), 0);
    flow_warden_lost(&early);
    cr_assert_eq(flow_warden_begin(&early), 0);
    cr_assert_eq(early.warden, late.warden);
}

/* No command begins, and nothing is said to it. */
Test(warden, one_that_has_died_while_a_command_runs_has_a_successor)
{
    flow_ward running, later;
    cr_assert_eq(flow_warden_begin(&running), 0);
    flow_warden_keep(&running, NOBODY);
    flow_warden_look();
    cr_assert_eq(flow_warden_begin(&later), 0);
    cr_assert_eq(later.warden, running.warden, "it lives");
    lose(&running);
    do {
        flow_warden_look();
        cr_assert_eq(flow_warden_begin(&later), 0);
    } while (later.warden == running.warden);
    cr_assert(flow_warden_add(&later, NOBODY));
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), 0, "one child is there, and none has ended");
    flow_warden_remove(&running);
}
