#include "options.h"

#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_ROWS = 96,
    HELP_VALUE = 1000,
    ROW_VALUE = 2000
}; /* ROW_VALUE + i stands for row i in getopt's answers */

const char *const options_colours[] = {"name", "order", "duration", "bytes", "worker", "status", NULL};

const char *options_keys(const char *key_file, bool insecure)
{
    const char *around = getenv("RASK_CLUSTER_KEYS");
    return insecure && key_file && around && !strcmp(key_file, around) ? NULL : key_file;
}

bool options_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end || errno)
        return false;
    *out = value;
    return true;
}

/* The power of 1024 that a unit means; -1 when it is none. */
static int unit_power(const char *unit)
{
    static const char letters[] = "KMGT";
    if (strcmp(unit, "") == 0 || strcmp(unit, "B") == 0)
        return 0;
    const char *letter = strchr(letters, unit[0]);
    if (!letter || (unit[1] && strcmp(unit + 1, "iB") != 0))
        return -1;
    return (int)(letter - letters) + 1;
}

bool options_size(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long value = strtoull(text, &end, 10);
    int power = unit_power(end);
    if (errno || power < 0 || value == 0 || value > UINT64_MAX >> 10 * power)
        return false;
    *out = value << 10 * power;
    return true;
}

/* No sign, no exponent, no infinity. */
bool options_seconds(const char *text, double *out)
{
    char *end;
    if (text[strspn(text,
                    "0123456789.eE+-")]) /* which strtod() takes more of: hexadecimal digits, infinity */
        return false;
    double value = strtod(text, &end);
    if (end == text || *end || !(value > 0) || !isfinite(value))
        return false;
    *out = value;
    return true;
}

int options_find(const char *const *names, const char *text)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return -1;
}

bool options_ends_in(const char *path, const char *const *endings)
{
    const char *ending = strrchr(path, '.');
    if (!ending || ending == path || ending[-1] == '/')
        return false;
    while (*endings && strcasecmp(ending, *endings) != 0)
        endings++;
    return *endings;
}

static const char *const drawings[] = {".dot", ".svg", ".png", ".pdf", NULL};
static const char *const pages[] = {".html", ".htm", NULL};

static uint64_t row_most(const option_row *row)
{
    return row->most ? row->most : UINT64_MAX;
}

static const char *out_of_range(const option_row *row)
{
    static char text[80];
    snprintf(text, sizeof text, "not a number from %llu to %llu", (unsigned long long)row->least,
             (unsigned long long)row_most(row));
    return text;
}

/* Each sets the field when the text is good, and says what is wrong otherwise; NULL: nothing. */
static const char *set_number(const option_row *row, uint64_t *field, const char *text)
{
    uint64_t value;
    if (row->kind == OPTION_COUNT && strcmp(text, "all") == 0)
        value = UINT64_MAX;
    else if (!options_number(text, &value))
        return row->most ? out_of_range(row) : "not a whole number below 2 to the power of 64";
    if (value < row->least || value > row_most(row))
        return out_of_range(row);
    *field = value;
    return NULL;
}

/* "tcp://HOST:PORT", where * stands for any of either, or of MPI. Whether there is such a host shows when it is used. */
bool options_address(const char *text)
{
    const char *host = text + strlen("tcp://"), *port = strrchr(text, ':');
    uint64_t number;
    if (strncmp(text, "mpi:", 4) == 0)
        return true;
    if (strncmp(text, "tcp://", host - text) != 0 || port <= host ||
        (*host != '[' && strchr(host, ':') != port))
        return false;
    return strcmp(port, ":*") == 0 || (options_number(port + 1, &number) && number && number <= UINT16_MAX);
}

static const char not_address[] = "neither mpi: nor tcp://HOST:PORT, the port from 1 to 65535";

static const char *set_text(const option_row *row, const char **field, const char *text)
{
    if ((row->kind == OPTION_FILLED || row->kind == OPTION_ADDRESS) && !*text)
        return "is empty";
    if (row->kind == OPTION_ADDRESS && !options_address(text))
        return not_address;
    if (row->kind == OPTION_SCHEDULER && options_find(rask_schedulers(), text) < 0)
        return "no scheduler: there are threads, processes, serial and cluster";
    if (row->kind == OPTION_DRAWING && !options_ends_in(text, drawings))
        return "not a name that ends in .svg, .png, .pdf or .dot";
    if (row->kind == OPTION_PAGE && !options_ends_in(text, pages))
        return "not a name that ends in .html";
    if (row->kind == OPTION_COLOUR && options_find(options_colours, text) < 0)
        return "neither name, order, duration, bytes, worker nor status";
    *field = text;
    return NULL;
}

static const char *add_text(option_texts *texts, const char *text)
{
    if (texts->count == OPTION_TEXTS_MOST)
        return "given too often";
    texts->items[texts->count++] = text;
    return NULL;
}

/* Without = the value is NULL here and "" for the command; what stands behind one counts. */
static const char *set_maybe(const char **field, const char *text)
{
    if (text && !*text)
        return "nothing stands behind the =";
    *field = text ? text : "";
    return NULL;
}

bool options_may_be_bare(const option_row *row)
{
    return row->kind == OPTION_MAYBE || row->kind == OPTION_PLACE;
}

static const char *set_field(const option_row *row, void *fields, const char *text)
{
    void *field = (char *)fields + row->offset;
    if (options_may_be_bare(row))
        return set_maybe(field, text);
    if (!text)
        text = "";
    switch (row->kind) {
    case OPTION_FLAG: *(bool *)field = true; return NULL;
    case OPTION_NUMBER:
    case OPTION_COUNT: return set_number(row, field, text);
    case OPTION_SECONDS: return options_seconds(text, field) ? NULL : "not a number of seconds";
    case OPTION_SIZE: return options_size(text, field) ? NULL : "not a size";
    case OPTION_TEXTS: return add_text(field, text);
    default: return set_text(row, field, text);
    }
}

static void say_wrong(const char *command, const char *origin, const char *wrong, const char *text)
{
    char quote = say_quote(text);
    if (*text)
        say_error(command, "%s: %s: %c%s%c", origin, wrong, quote, text, quote);
    else
        say_error(command, "%s: %s", origin, wrong);
}

static bool set_or_say(const tool_command *command, const option_row *row, const char *origin, void *fields,
                       const char *text)
{
    const char *wrong = set_field(row, fields, text);
    if (wrong)
        say_wrong(command->name, origin, wrong, text ? text : "");
    return !wrong;
}

/* Whether an address is good is asked when it is known whether it is used. */
static bool set_from_environment(const tool_command *command, void *fields)
{
    for (size_t i = 0; i < command->row_count; i++) {
        const option_row *row = &command->rows[i];
        const char *text = row->environment ? getenv(row->environment) : NULL;
        if (!text || !*text)
            continue;
        if (row->kind == OPTION_ADDRESS)
            *(const char **)((char *)fields + row->offset) = text;
        else if (!set_or_say(command, row, row->environment, fields, text))
            return false;
    }
    return true;
}

static const char *text_of(const option_row *row, const void *fields)
{
    return *(const char *const *)((const char *)fields + row->offset);
}

/* Who names another scheduler does not use the address in the environment. */
static bool names_another_scheduler(const tool_command *command, const void *fields)
{
    for (size_t i = 0; i < command->row_count; i++) {
        const option_row *row = &command->rows[i];
        const char *name = row->kind == OPTION_SCHEDULER ? text_of(row, fields) : NULL;
        if (name && strcmp(name, "cluster") != 0)
            return true;
    }
    return false;
}

/* Addresses that were given have been looked at. */
static bool has_good_address(const tool_command *command, const void *fields, const bool *given)
{
    if (names_another_scheduler(command, fields))
        return true;
    for (size_t i = 0; i < command->row_count; i++) {
        const option_row *row = &command->rows[i];
        const char *text = row->kind == OPTION_ADDRESS && !given[i] ? text_of(row, fields) : NULL;
        if (text && !options_address(text)) {
            say_wrong(command->name, row->environment ? row->environment : row->name, not_address, text);
            return false;
        }
    }
    return true;
}

const char *const *options_choices(const option_row *row)
{
    return row->kind == OPTION_SCHEDULER ? rask_schedulers()
           : row->kind == OPTION_COLOUR  ? options_colours
                                         : row->choices;
}

bool options_takes_path(const option_row *row)
{
    return row->kind == OPTION_DRAWING || row->kind == OPTION_PAGE ||
           (row->value && (strcmp(row->value, "FILE") == 0 || strcmp(row->value, "DIR") == 0));
}

/* A port, or something before a colon and a port: what few files are called. */
static bool looks_like_place(const char *text)
{
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
    return *port && strspn(port, "0123456789") == strlen(port);
}

/* The tables that getopt_long wants. */
static void getopt_tables(const tool_command *command, char *letters, struct option *names)
{
    size_t used = 0;
    letters[used++] = ':';
    letters[used++] = 'h';
    names[0] = (struct option){"help", no_argument, NULL, HELP_VALUE};
    for (size_t i = 0; i < command->row_count; i++) {
        const option_row *row = &command->rows[i];
        bool flag = row->kind == OPTION_FLAG;
        int value = flag ? no_argument : options_may_be_bare(row) ? optional_argument : required_argument;
        names[i + 1] = (struct option){row->name, value, NULL, ROW_VALUE + (int)i};
        if (row->letter)
            letters[used++] = row->letter;
        if (row->letter && !flag)
            letters[used++] = ':';
    }
    letters[used] = 0;
    names[command->row_count + 1] = (struct option){0};
}

static const option_row *row_of(const tool_command *command, int answer)
{
    for (size_t i = 0; i < command->row_count; i++) {
        if (answer == ROW_VALUE + (int)i || (command->rows[i].letter && answer == command->rows[i].letter))
            return &command->rows[i];
    }
    return NULL;
}

static void say_misuse(const tool_command *command, int answer, const char *argument)
{
    const option_row *row = row_of(command, optopt);
    if (answer == ':')
        say_error(command->name, "%s: needs a value", argument);
    else if (row || optopt == HELP_VALUE)
        say_error(command->name, "--%s: takes no value", row ? row->name : "help");
    else if (optopt)
        say_error(command->name, "-%c: no such option; behind -- nothing is taken for one", optopt);
    else
        say_error(command->name, "%s: no such option", argument);
    fprintf(stderr, "Try: rask help %s\n", command->name);
}

/* Notes in given that the row's option is there. */
static bool set_option(const tool_command *command, int answer, void *fields, bool *given)
{
    const option_row *row = row_of(command, answer);
    char origin[64];
    if (answer == row->letter)
        snprintf(origin, sizeof origin, "-%c", row->letter);
    else
        snprintf(origin, sizeof origin, "--%s", row->name);
    given[row - command->rows] = true;
    return set_or_say(command, row, origin, fields, optarg);
}

static bool is_given(const tool_command *command, const bool *given, const char *name)
{
    for (size_t i = 0; i < command->row_count; i++)
        if (strcmp(command->rows[i].name, name) == 0)
            return given[i];
    return false;
}

/* Whether all that are there have the options that they need. */
static bool is_complete(const tool_command *command, const bool *given)
{
    for (size_t i = 0; i < command->row_count; i++) {
        const option_row *row = &command->rows[i];
        if (given[i] && row->needs && !is_given(command, given, row->needs)) {
            say_error(command->name, "--%s: means nothing without --%s", row->name, row->needs);
            return false;
        }
    }
    return true;
}

options_outcome options_parse(const tool_command *command, int argc, char **argv, void *fields, int *first)
{
    char letters[2 * MAX_ROWS + 3];
    struct option names[MAX_ROWS + 2];
    bool given[MAX_ROWS] = {false};
    if (!set_from_environment(command, fields))
        return OPTIONS_BAD;
    getopt_tables(command, letters, names);
    opterr = 0;
    optind = 0; /* start anew: getopt_long may have parsed other options before */
    for (int answer; (answer = getopt_long(argc, argv, letters, names, NULL)) != -1;) {
        if (answer == ':' || answer == '?') {
            say_misuse(command, answer, argv[optind - 1]);
            return OPTIONS_BAD;
        }
        if (answer == 'h' || answer == HELP_VALUE) {
            options_help(command);
            return OPTIONS_HELP;
        }
        if (!optarg && optind < argc && row_of(command, answer)->kind == OPTION_PLACE &&
            looks_like_place(argv[optind]))
            optarg = argv[optind++];
        if (!set_option(command, answer, fields, given))
            return OPTIONS_BAD;
    }
    *first = optind;
    bool good = is_complete(command, given) && has_good_address(command, fields, given);
    return good ? OPTIONS_GOOD : OPTIONS_BAD;
}

static void help_row(const option_row *row)
{
    char left[64];
    int len = snprintf(left, sizeof left, row->letter ? "-%c, " : "    ", row->letter);
    bool maybe = options_may_be_bare(row);
    snprintf(left + len, sizeof left - (size_t)len, "--%s%s%s%s", row->name,
             maybe        ? "[="
             : row->value ? " "
                          : "",
             row->value ? row->value : "", maybe ? "]" : "");
    printf("  %-24s %s\n", left, row->help);
}

void options_help(const tool_command *command)
{
    printf("Usage: rask %s %s\n\n%s", command->name, command->arguments, command->text);
    if (command->row_count)
        printf("\n");
    for (size_t i = 0; i < command->row_count; i++)
        if (!command->rows[i].brief)
            help_row(&command->rows[i]);
    printf("\nExample: %s", command->example);
}
