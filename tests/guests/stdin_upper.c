/* stdin_upper.c - copies standard input to standard output with ASCII letters in upper case.
 *
 * Usage: stdin_upper.wasm < FILE
 * Reads and writes raw blocks; short writes are continued. Exit status 1 on an I/O error. */
#include <stdio.h>
#include <unistd.h>

static int write_all(const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, data, len);
        if (n < 0) return -1;
        data += n, len -= (size_t)n;
    }
    return 0;
}

int main(void) {
    static char buffer[16 * 1024];
    ssize_t n;
    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (buffer[i] >= 'a' && buffer[i] <= 'z') buffer[i] -= 'a' - 'A';
        if (write_all(buffer, (size_t)n) < 0) {
            perror("write");
            return 1;
        }
    }
    if (n < 0) perror("read");
    return n < 0;
}
