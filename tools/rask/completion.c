#include "completion.h"

#include "commands.h"

#include <stdio.h>
#include <string.h>

/* A text within single quotes of a shell: outside are what a quote becomes, and what a backslash does. */
static void put_quoted(const char *text, const char *quote, const char *also)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs(quote, stdout);
        else if (strchr(also, *text))
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void put_words(const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        printf("%s%s", i ? " " : "", words[i]);
}

static void put_commands(void)
{
    for (size_t i = 0; commands_all[i]; i++)
        printf("%s%s", i ? " " : "", commands_all[i]->name);
}

/* What stands for an argument that is no option, as words; false: it is a file, or nothing. */
static bool put_arguments(const tool_command *c)
{
    if (c == &help_command)
        put_commands();
    else if (c->words)
        put_words(c->words);
    return c == &help_command || c->words;
}

/* -- bash */

/* "--limit|-n" */
static void bash_names(const option_row *row)
{
    printf("--%s", row->name);
    if (row->letter)
        printf("|-%c", row->letter);
}

/* What to offer behind an option: choices, files (which bash offers itself when it is offered nothing), or no more. */
static void bash_value(const option_row *row)
{
    const char *const *choices = options_choices(row);
    printf("        ");
    bash_names(row);
    fputs(") ", stdout);
    if (choices) {
        fputs("words='", stdout);
        put_words(choices);
        puts("' value=words ;;");
    } else
        puts(options_takes_path(row) ? "value=files ;;" : "value=other ;;");
}

static void bash_command(const tool_command *c)
{
    printf("    %s)\n        options='", c->name);
    for (size_t i = 0; i < c->row_count; i++) {
        printf("--%s%s ", c->rows[i].name, options_may_be_bare(&c->rows[i]) ? "=" : "");
        if (c->rows[i].letter)
            printf("-%c ", c->rows[i].letter);
    }
    fputs("--help' arguments='", stdout);
    put_arguments(c);
    puts("'\n        case $before in");
    for (size_t i = 0; i < c->row_count; i++)
        if (c->rows[i].kind != OPTION_FLAG && !options_may_be_bare(&c->rows[i]))
            bash_value(&c->rows[i]);
    puts("        esac\n        case $assigned in");
    for (size_t i = 0; i < c->row_count; i++)
        if (options_may_be_bare(&c->rows[i]))
            bash_value(&c->rows[i]);
    puts("        esac\n        ;;");
}

void completion_bash(void)
{
    puts("# Completion of rask for bash; made by: rask help --completion bash\n"
         "_rask()\n{\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} "
         "command=${COMP_WORDS[1]}\n"
         "    local assigned='' options='' arguments='' words='' value=''\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$(_rask_commands) --help --version\" -- "
         "\"$current\")\n"
         "        return\n    fi\n"
         "    # bash takes --name=value for three words\n"
         "    if [ \"$current\" = = ]; then\n        current='' assigned=$before\n"
         "    elif [ \"$before\" = = ]; then\n        assigned=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
         "    [ -z \"$assigned\" ] || before=$assigned\n"
         "    case $command in");
    for (size_t i = 0; commands_all[i]; i++)
        bash_command(commands_all[i]);
    puts("    esac\n"
         "    if [ -z \"$value\" ]; then\n"
         "        case $current in\n        -*) words=$options value=words ;;\n"
         "        *) [ -z \"$arguments\" ] || words=$arguments value=words ;;\n        esac\n    fi\n"
         "    [ \"$value\" != words ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "    case ${COMPREPLY[*]} in *=) compopt -o nospace 2>/dev/null ;; esac\n"
         "    case $value in words | other) compopt +o default +o bashdefault 2>/dev/null ;; esac\n"
         "    return 0\n}\n");
    fputs("_rask_commands()\n{\n    echo '", stdout);
    put_commands();
    puts("'\n}\n\ncomplete -o bashdefault -o default -F _rask rask");
}

/* -- zsh */

/* ":N:", and how to complete it. */
static void zsh_value(const option_row *row)
{
    const char *const *choices = options_choices(row);
    fputs(options_may_be_bare(row) ? "::" : ":", stdout);
    put_quoted(row->value, "'\\''", "\\:");
    putchar(':');
    if (choices) {
        putchar('(');
        put_words(choices);
        putchar(')');
    } else
        fputs(options_takes_path(row) ? "_files" : " ", stdout);
}

/* name is "--limit", or "-n" with its letter. */
static void zsh_option(const option_row *row, bool letter)
{
    fputs("            '", stdout);
    if (row->kind == OPTION_TEXTS)
        putchar('*');
    else if (row->letter)
        printf("(-%c --%s)", row->letter, row->name);
    if (letter)
        printf("-%c%s[", row->letter, row->value ? "+" : "");
    else
        printf("--%s%s[", row->name, options_may_be_bare(row) ? "=-" : row->value ? "=" : "");
    put_quoted(row->help, "'\\''", "\\[]");
    putchar(']');
    if (row->value)
        zsh_value(row);
    puts("' \\");
}

static void zsh_command(const tool_command *c)
{
    printf("    %s)\n        _arguments -s -S \\\n", c->name);
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].letter)
            zsh_option(&c->rows[i], true);
        zsh_option(&c->rows[i], false);
    }
    puts("            '(- *)'{-h,--help}'[print a summary]' \\");
    if (c == &help_command || c->words) {
        fputs("            '*:argument:(", stdout);
        put_arguments(c);
        puts(")'");
    } else
        puts("            '*:file:_files'");
    puts("        ;;");
}

void completion_zsh(void)
{
    puts("#compdef rask\n# Completion of rask for zsh; made by: rask help --completion zsh\n"
         "_rask()\n{\n    local -a commands\n    commands=(");
    for (size_t i = 0; commands_all[i]; i++) {
        printf("        '%s:", commands_all[i]->name);
        put_quoted(commands_all[i]->summary, "'\\''", "\\");
        puts("'");
    }
    puts("    )\n"
         "    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"
         "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in");
    for (size_t i = 0; commands_all[i]; i++)
        zsh_command(commands_all[i]);
    puts("    esac\n}\n\nif [ \"$funcstack[1]\" = _rask ]; then\n    _rask \"$@\"\nelse\n    compdef _rask "
         "rask\nfi");
}

/* -- fish */

static void fish_option(const tool_command *c, const option_row *row)
{
    const char *const *choices = options_choices(row);
    printf("complete -c rask -n '__fish_seen_subcommand_from %s' -l %s", c->name, row->name);
    if (row->letter)
        printf(" -s %c", row->letter);
    if (row->value && !options_may_be_bare(row))
        fputs(options_takes_path(row) ? " -r -F" : " -x", stdout);
    if (choices) {
        fputs(" -a '", stdout);
        put_words(choices);
        putchar('\'');
    }
    fputs(" -d '", stdout);
    put_quoted(row->help, "\\'", "\\");
    puts("'");
}

static void fish_command(const tool_command *c)
{
    printf("complete -c rask -n __fish_use_subcommand -a %s -d '", c->name);
    put_quoted(c->summary, "\\'", "\\");
    puts("'");
    for (size_t i = 0; i < c->row_count; i++)
        fish_option(c, &c->rows[i]);
    printf("complete -c rask -n '__fish_seen_subcommand_from %s' ", c->name);
    if (c == &help_command || c->words) {
        fputs("-a '", stdout);
        put_arguments(c);
        puts("'");
    } else
        puts("-F");
}

void completion_fish(void)
{
    puts("# Completion of rask for fish; made by: rask help --completion fish\n"
         "complete -c rask -f\n"
         "complete -c rask -n __fish_use_subcommand -l version -d 'print the version'\n"
         "complete -c rask -s h -l help -d 'print a summary'");
    for (size_t i = 0; commands_all[i]; i++)
        fish_command(commands_all[i]);
}
