#include "manual.h"

#include "commands.h"

#include <rask/base.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#ifndef RASK_MANUAL_DATE
#    define RASK_MANUAL_DATE ""
#endif

/* -- Text as roff */

/* The code point that begins at text, of UTF-8 that is right; its bytes in *len. */
static unsigned code_point(const char *text, size_t *len)
{
    unsigned char first = (unsigned char)*text;
    size_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned code = bytes == 1 ? first : first & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3fu);
    *len = bytes;
    return code;
}

/* NULL: the letter stands for itself. */
static const char *escaped(char c)
{
    switch (c) {
    case '\\': return "\\e";
    case '-': return "\\-";
    case '\'': return "\\(aq";
    case '`': return "\\(ga";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    case '"': return "\\(dq";
    default: return NULL;
    }
}

static void put(const char *text, size_t len)
{
    for (size_t i = 0, bytes; i < len; i += bytes) {
        unsigned code = code_point(text + i, &bytes);
        const char *other = bytes == 1 ? escaped(text[i]) : NULL;
        if (other)
            fputs(other, stdout);
        else if (bytes > 1)
            printf("\\[u%04X]", code);
        else
            putchar(text[i]);
    }
}

/* A line of text: what roff would take for a request is none. */
static void put_line(const char *text, size_t len)
{
    if (len && (*text == '.' || *text == '\''))
        fputs("\\&", stdout);
    put(text, len);
    putchar('\n');
}

enum { WIDTH = 64 }; /* of lines that are filled anyway, in bytes of the text */

/* The same on as many lines as it takes, broken at spaces. */
static void put_words(const char *text, size_t len)
{
    for (size_t end; len > WIDTH; text += end + 1, len -= end + 1) {
        for (end = WIDTH; end && text[end] != ' ';)
            end--;
        if (!end)
            break;
        put_line(text, end);
    }
    put_line(text, len);
}

/* Paragraphs, which are filled; but lines that begin with a space stay as they are. */
static void put_text(const char *text)
{
    bool kept = false;
    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        bool keep = *text == ' ';
        if (keep != kept)
            puts(keep ? ".PP\n.EX" : ".EE\n.PP");
        kept = keep;
        if (!len)
            puts(".PP");
        else if (keep)
            put_line(text, len);
        else
            put_words(text, len);
    }
    if (kept)
        puts(".EE");
}

/* -- Parts of pages */

/* name is that of a command or "". */
static void put_head(const char *name)
{
    char upper[32];
    size_t len = strlen(name);
    for (size_t i = 0; i <= len && i < sizeof upper; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    printf(".TH RASK%s%s 1 \"%s\" \"Rask %s\" \"Rask\"\n.nh\n.ad l\n", len ? "\\-" : "", upper,
           RASK_MANUAL_DATE, rask_version());
}

static void put_option(const option_row *row)
{
    bool maybe = options_may_be_bare(row);
    puts(".TP");
    if (row->letter)
        printf("\\fB\\-%c\\fR, ", row->letter);
    fputs("\\fB\\-\\-", stdout);
    put(row->name, strlen(row->name));
    printf("\\fR%s\\fI", maybe ? "[=" : row->value ? " " : "");
    put(row->value ? row->value : "", row->value ? strlen(row->value) : 0);
    printf("\\fR%s\n", maybe ? "]" : "");
    put_words(row->help, strlen(row->help));
}

static void put_options(const tool_command *c)
{
    puts(".SH OPTIONS");
    for (size_t i = 0; i < c->row_count; i++)
        put_option(&c->rows[i]);
    puts(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint a summary of this");
}

/* What the environment gives, and the row of its option. */
static void put_variable(const option_row *row)
{
    printf(".TP\n.B %s\n", row->environment);
    fputs("of \\fB\\-\\-", stdout);
    put(row->name, strlen(row->name));
    puts("\\fR:");
    put_words(row->help, strlen(row->help));
}

/* Whether a command before c, or a row of c before this, has the variable. */
static bool is_known(const char *variable, size_t command, size_t row)
{
    for (size_t c = 0; c <= command; c++)
        for (size_t i = 0; i < commands_all[c]->row_count && (c < command || i < row); i++) {
            const char *other = commands_all[c]->rows[i].environment;
            if (other && strcmp(other, variable) == 0)
                return true;
        }
    return false;
}

static void put_environment(const tool_command *command)
{
    bool any = false;
    for (size_t c = 0; commands_all[c]; c++)
        for (size_t i = 0; i < commands_all[c]->row_count; i++) {
            const option_row *row = &commands_all[c]->rows[i];
            if (!row->environment ||
                (command ? command != commands_all[c] : is_known(row->environment, c, i)))
                continue;
            if (!any)
                puts(".SH ENVIRONMENT\nEach is the default of an option.");
            any = true;
            put_variable(row);
        }
}

static void put_end(const char *example)
{
    puts(".SH EXIT STATUS");
    for (const exit_meaning *e = commands_exits; e->meaning; e++) {
        printf(".TP\n.B %d\n", e->status);
        put_line(e->meaning, strlen(e->meaning));
    }
    puts(".SH EXAMPLES\n.EX");
    for (size_t len; *example; example += len + (example[len] == '\n')) {
        len = strcspn(example, "\n");
        put_line(example, len);
    }
    puts(".EE\n.SH SEE ALSO");
}

static void put_reference(const tool_command *c, bool last)
{
    fputs(".BR rask\\-", stdout);
    put(c->name, strlen(c->name));
    printf(" (1)%s\n", last ? "" : ",");
}

/* -- Pages */

static void put_program(void)
{
    put_head("");
    puts(".SH NAME\nrask \\- run graphs of tasks on all cores: tables, arrays, text, workflows\n"
         ".SH SYNOPSIS\n.B rask\n.I command\n[\\fIoption\\fR]... [\\fIargument\\fR]...\n.br\n"
         ".B rask help\n[\\fIcommand\\fR]\n.br\n.B rask \\-\\-version\n.SH DESCRIPTION");
    put_text(commands_manners);
    puts(".SH COMMANDS");
    for (size_t i = 0; commands_all[i]; i++) {
        puts(".TP");
        put_reference(commands_all[i], true);
        put_words(commands_all[i]->summary, strlen(commands_all[i]->summary));
    }
    put_environment(NULL);
    put_end("rask words -n 5 book.txt\nrask csv 'sales-*.csv' --group-by name --agg 'sum(amount)'\n");
    for (size_t i = 0; commands_all[i]; i++)
        put_reference(commands_all[i], false);
    puts(".BR rask (3)");
}

static void put_command(const tool_command *c)
{
    put_head(c->name);
    printf(".SH NAME\nrask\\-%s \\- ", c->name);
    put_line(c->summary, strlen(c->summary));
    printf(".SH SYNOPSIS\n.B rask %s\n", c->name);
    put_line(c->arguments, strlen(c->arguments));
    puts(".SH DESCRIPTION");
    put_text(c->text);
    put_options(c);
    put_environment(c);
    put_end(c->example);
    puts(".BR rask (1)");
}

void manual_print(const tool_command *command)
{
    if (command)
        put_command(command);
    else
        put_program();
}
