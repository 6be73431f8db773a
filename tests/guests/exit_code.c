/* exit_code.c - exits with the status in its argument.
 *
 * Usage: exit_code.wasm STATUS [return|exit|_Exit]
 *
 * The second argument selects the way to exit: returning from main (the default), exit() from a
 * nested call with buffered output still pending, or _Exit(), which drops that output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_goodbye(void) { puts("atexit handler ran"); }

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs("usage: exit_code STATUS [return|exit|_Exit]\n", stderr);
        return 2;
    }
    int status = atoi(argv[1]);
    const char *way = argc > 2 ? argv[2] : "return";

    atexit(say_goodbye);
    printf("leaving through %s with status %d\n", way, status);
    if (strcmp(way, "exit") == 0) exit(status);
    if (strcmp(way, "_Exit") == 0) {
        fflush(stdout);
        _Exit(status);
    }
    return status;
}
