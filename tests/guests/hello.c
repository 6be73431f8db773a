/* hello.c - prints one line to standard output.
 *
 * Usage: hello.wasm
 * Uses write(2) rather than stdio, so the module stays small enough to read as text. */
#include <unistd.h>

int main(void) {
    static const char text[] = "Hello from WebAssembly\n";
    return write(1, text, sizeof text - 1) == (ssize_t)(sizeof text - 1) ? 0 : 1;
}
