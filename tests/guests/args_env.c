/* args_env.c - prints the arguments and the environment of the guest.
 *
 * Usage: args_env.wasm [ARG...]
 * argv[0] is omitted because runtimes name the program differently; variables are sorted
 * because their order is not specified. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv) {
    printf("arguments: %d\n", argc - 1);
    for (int i = 1; i < argc; i++) printf("  %d [%s]\n", i, argv[i]);

    size_t count = 0;
    while (environ[count]) count++;
    qsort(environ, count, sizeof *environ, by_text);
    printf("variables: %zu\n", count);
    for (size_t i = 0; i < count; i++) printf("  [%s]\n", environ[i]);
    return 0;
}
