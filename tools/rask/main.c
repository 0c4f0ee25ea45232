#include "commands.h"
#include "say.h"

#include <rask/base.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const tool_command *const commands[] = {
    &csv_command,  &eval_command, &text_command,  &words_command,   &run_command_of_flows,
    &draw_command, &info_command, &bench_command, &cluster_command, &worker_command};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const tool_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static void print_commands(FILE *out)
{
    fputs("Usage: rask COMMAND [OPTION]… [ARGUMENT]…\n\nCommands:\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help     rask help COMMAND explains one\n"
          "\nExit status: 0 done, 1 an expression, a task or its data failed, 2 usage, 130 interrupted.\n"
          "\nExample: rask words -n 5 book.txt\n",
          out);
}

static int say_unknown(const char *name)
{
    say_error(NULL, *name ? "%s: no such command" : "\"%s\": no such command", name);
    fputs("Try: rask help\n", stderr);
    return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    const tool_command *c = argc > 2 ? find_command(argv[2]) : NULL;
    if (argc > 2 && !c)
        return say_unknown(argv[2]);
    if (c)
        options_help(c);
    else
        print_commands(stdout);
    return say_done("help");
}

static bool is_any(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* A descriptor that the caller closed would be given to the next file opened, which would then be written to
 * as standard output. What fills the gap here cannot be used in its direction, so that the use fails. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_FAILED);
    }
}

/* A pattern may open thousands of files. The usual limit is low for the sake of select(), which nothing here calls. */
static void allow_open_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    allow_open_files();
    signal(SIGCHLD, SIG_DFL); /* whoever started this may not want to hear of children, but this does */
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    if (is_any(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0)
        return help(argc, argv);
    if (is_any(argv[1], "--version", "-V")) {
        printf("rask %s\n", rask_version());
        return say_done("--version");
    }
    const tool_command *c = find_command(argv[1]);
    return c ? c->run(c, argc - 1, argv + 1) : say_unknown(argv[1]);
}
