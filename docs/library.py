"""Prints rask(3): what the library is, and its headers, each with the sentence that its first comment begins with.

usage: library.py VERSION DATE HEADER …
"""
import os
import sys
import textwrap

from headers import first_sentence

HEAD = r"""
.SH NAME
rask \- lazy task graphs, and collections larger than memory
.SH SYNOPSIS
.B #include <rask/rask.h>
.PP
.EX
cc prog.c $(pkg\-config \-\-cflags \-\-libs rask)
.EE
.SH DESCRIPTION
Calls of functions build a graph, and nothing runs.
When a result is asked for, the graph is planned and a scheduler executes it:
threads, processes, or a cluster, within a budget of memory.
Arrays, tables, text and bags write such graphs for files of any size.
.PP
.EX
static double area(double width, double height);
RASK_TASK(area, f64, f64, f64);

rask_graph *g = rask_graph_new();
rask_node *a = rask_delayed(g, area, 2.0, 3.0), *b = rask_delayed(g, area, 4.0, 5.0);
double both;
int status = rask_compute(rask_sum(rask_list(g, (rask_node *[]){a, b}, 2)), &both);
if (status)
    fprintf(stderr, "%s\en", rask_graph_error(g));
rask_graph_free(g);
.EE
.PP
Builders take NULL and return NULL: the first error is kept in the graph,
and told when something is computed.
Calls that can fail return 0 or a status of
.BR rask/base.h .
The comment above a declaration says who owns what, what fails, and what waits.
Programs in other languages call the same functions; macros are in
.B rask/sugar.h
alone.
.SH HEADERS
Each is a contract by itself;
.B rask/rask.h
includes them all.
"""
TAIL = r"""
.SH ENVIRONMENT
.BR RASK_SCHEDULER ,
.BR RASK_WORKERS ,
.BR RASK_MEMORY ,
.BR RASK_SCRATCH ,
.BR RASK_LIMITS ,
.BR RASK_CLUSTER ,
.BR RASK_CLUSTER_KEYS ,
.B RASK_CLUSTER_INSECURE
and
.B RASK_CHECKPOINT
are what options are where a program leaves them open;
.B RASK_MODULE_PATH
is a folder in which modules are looked for first.
.SH SEE ALSO
.BR rask (1)
"""


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace('"', "\\(dq")
    return "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)


def main():
    version, date, *headers = sys.argv[1:]
    print(f'.TH RASK 3 "{date}" "Rask {version}" "Rask"\n.nh\n.ad l' + HEAD.rstrip())
    for path in sorted(headers):
        name = "rask/" + os.path.basename(path)
        if name != "rask/rask.h":
            print(f".TP\n.B {name}\n" + "\n".join(textwrap.wrap(escape(first_sentence(path)), 76)))
    print(TAIL.strip())


if __name__ == "__main__":
    main()
