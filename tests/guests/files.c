/* files.c - exercises the file system below one mounted folder.
 *
 * Usage: files.wasm DIR        (DIR: a writable mounted folder, e.g. --dir SCRATCH::/work /work)
 *
 * Every operation prints one line with its result, or the name of its error.
 * Nothing that varies between machines (times, inode numbers, directory order) is printed.
 * All files are removed at the end. Exit status 1 if an operation failed unexpectedly. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *root;
static int unexpected;

/* A path below the folder under test. Only the last few results stay valid. */
static const char *at(const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static const char *error_name(int error) {
    switch (error) {
    case EBADF: return "EBADF";
    case EEXIST: return "EEXIST";
    case EINVAL: return "EINVAL";
    case EISDIR: return "EISDIR";
    case ELOOP: return "ELOOP";
    case ENOENT: return "ENOENT";
    case ENOTDIR: return "ENOTDIR";
    case ENOTEMPTY: return "ENOTEMPTY";
    case EPERM: return "EPERM";
    default: return strerror(error);
    }
}

/* Prints the outcome of an operation that should work. */
static bool works(const char *what, bool ok) {
    printf("%-34s %s\n", what, ok ? "ok" : error_name(errno));
    unexpected += !ok;
    return ok;
}

/* Prints the outcome of an operation that should fail with `error`. */
static void fails(const char *what, bool ok, int error) {
    bool right = !ok && errno == error;
    printf("%-34s %s\n", what, ok ? "unexpectedly worked" : error_name(errno));
    unexpected += !right;
}

static void show(const char *what, const char *format, ...) {
    va_list args;
    printf("%-34s ", what);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static long size_of(const char *name) {
    struct stat st;
    return stat(at(name), &st) == 0 ? (long)st.st_size : -1;
}

static void show_content(const char *what, int fd) {
    char text[128];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (!works(what, n >= 0)) return;
    for (ssize_t i = 0; i < n; i++)
        if (text[i] == 0) text[i] = '.';
    text[n] = 0;
    show("  content", "[%s]", text);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *name) {
    DIR *dir = opendir(at(name));
    char *names[64];
    size_t count = 0;
    if (!works("opendir", dir != NULL)) return;
    for (struct dirent *entry; (entry = readdir(dir)) && count < 64;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        names[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++) {
        char path[256];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", name, names[i]);
        if (works("lstat", lstat(at(path), &st) == 0))
            show("  entry", "%s %s", names[i],
                 S_ISDIR(st.st_mode)   ? "directory"
                 : S_ISLNK(st.st_mode) ? "symlink"
                 : S_ISREG(st.st_mode) ? "file"
                                       : "other");
        free(names[i]);
    }
}

static void test_reading_and_writing(void) {
    char text[32] = {0};
    int fd = open(at("a.txt"), O_RDWR | O_CREAT | O_EXCL, 0644);
    if (!works("create", fd >= 0)) return;
    works("write", write(fd, "hello, file system", 18) == 18);
    fails("create again", open(at("a.txt"), O_RDWR | O_CREAT | O_EXCL, 0644) >= 0, EEXIST);

    show("tell", "%ld", (long)lseek(fd, 0, SEEK_CUR));
    show("seek set", "%ld", (long)lseek(fd, 7, SEEK_SET));
    works("read", read(fd, text, 4) == 4);
    show("  read", "[%s]", text);
    show("seek cur", "%ld", (long)lseek(fd, 1, SEEK_CUR));
    show("seek end", "%ld", (long)lseek(fd, -6, SEEK_END));
    works("overwrite", write(fd, "SYSTEM", 6) == 6);
    fails("seek before the start", lseek(fd, -1, SEEK_SET) >= 0, EINVAL);
    show("read at the end", "%ld", (long)read(fd, text, sizeof text));
    works("pwrite", pwrite(fd, "HELLO", 5, 0) == 5);
    show_content("pread", fd);

    works("truncate shorter", ftruncate(fd, 5) == 0);
    show_content("pread", fd);
    works("truncate longer", ftruncate(fd, 8) == 0);
    show_content("pread", fd);
    works("fsync", fsync(fd) == 0);
    works("fdatasync", fdatasync(fd) == 0);
    works("posix_fadvise", posix_fadvise(fd, 0, 8, POSIX_FADV_SEQUENTIAL) == 0);
    works("close", close(fd) == 0);
    fails("read after close", read(fd, text, 1) >= 0, EBADF);

    fd = open(at("a.txt"), O_WRONLY | O_APPEND);
    works("open for appending", fd >= 0);
    works("append", write(fd, "+tail", 5) == 5);
    close(fd);
    show("size", "%ld", size_of("a.txt"));
    fd = open(at("a.txt"), O_WRONLY | O_TRUNC);
    works("open truncating", fd >= 0);
    close(fd);
    show("size", "%ld", size_of("a.txt"));
}

static void test_stdio(void) {
    char line[64];
    int lines = 0;
    long bytes = 0;
    FILE *file = fopen(at("lines.txt"), "w");
    if (!works("fopen for writing", file != NULL)) return;
    for (int i = 1; i <= 1000; i++) fprintf(file, "line %d of 1000\n", i);
    works("fclose", fclose(file) == 0);
    show("size", "%ld", size_of("lines.txt"));

    file = fopen(at("lines.txt"), "r");
    if (!works("fopen for reading", file != NULL)) return;
    while (fgets(line, sizeof line, file)) lines++, bytes += (long)strlen(line);
    show("fgets", "%d lines, %ld bytes", lines, bytes);
    works("fseek", fseek(file, -15, SEEK_END) == 0);
    works("fgets", fgets(line, sizeof line, file) != NULL);
    line[strcspn(line, "\n")] = 0;
    show("  last line ends", "[%s]", line);
    fclose(file);
}

static void test_directories(void) {
    works("mkdir", mkdir(at("sub"), 0755) == 0);
    works("mkdir nested", mkdir(at("sub/deep"), 0755) == 0);
    fails("mkdir again", mkdir(at("sub"), 0755) == 0, EEXIST);
    fails("mkdir without a parent", mkdir(at("no/such"), 0755) == 0, ENOENT);
    works("rename a file", rename(at("a.txt"), at("sub/b.txt")) == 0);
    fails("stat the old name", stat(at("a.txt"), &(struct stat){0}) == 0, ENOENT);
    works("rename a directory", rename(at("sub/deep"), at("sub/moved")) == 0);
    fails("open below a file", open(at("lines.txt/x"), O_RDONLY) >= 0, ENOTDIR);
    fails("open a directory for writing", open(at("sub"), O_WRONLY) >= 0, EISDIR);
    fails("rmdir a full directory", rmdir(at("sub")) == 0, ENOTEMPTY);
    fails("rmdir a file", rmdir(at("sub/b.txt")) == 0, ENOTDIR);

    int dir = open(at("sub"), O_RDONLY | O_DIRECTORY);
    works("open a directory", dir >= 0);
    int fd = openat(dir, "c.txt", O_WRONLY | O_CREAT, 0644);
    works("openat", fd >= 0);
    close(fd), close(dir);
}

static void test_links(void) {
    char target[64] = {0};
    works("link", link(at("lines.txt"), at("sub/hard.txt")) == 0);
    struct stat st;
    works("stat", stat(at("sub/hard.txt"), &st) == 0);
    show("links", "%d", (int)st.st_nlink);
    works("symlink", symlink("b.txt", at("sub/link")) == 0);
    show("readlink", "%ld", (long)readlink(at("sub/link"), target, sizeof target - 1));
    show("  target", "[%s]", target);
    int fd = open(at("sub/link"), O_WRONLY);
    works("open through a symlink", fd >= 0);
    works("write", write(fd, "via link", 8) == 8);
    close(fd);
    show("size of the target", "%ld", size_of("sub/b.txt"));
    fails("open without following", open(at("sub/link"), O_RDONLY | O_NOFOLLOW) >= 0, ELOOP);
    works("symlink to itself", symlink("loop", at("sub/loop")) == 0);
    fails("open the loop", open(at("sub/loop"), O_RDONLY) >= 0, ELOOP);
    works("dangling symlink", symlink("nowhere", at("sub/dangling")) == 0);
    fails("open the dangling symlink", open(at("sub/dangling"), O_RDONLY) >= 0, ENOENT);
}

/* Runtimes refuse with different errors, so only the refusal is printed. */
static void refused(const char *what, bool ok) {
    printf("%-34s %s\n", what, ok ? "ALLOWED" : "refused");
    unexpected += ok;
}

static void test_sandbox(void) {
    refused("open ..", open(at(".."), O_RDONLY) >= 0);
    refused("open ../..", open(at("../.."), O_RDONLY) >= 0);
    refused("open sub/../..", open(at("sub/../.."), O_RDONLY) >= 0);
    refused("open an unmounted path", open("/unmounted/passwd", O_RDONLY) >= 0);
    if (symlink("../..", at("escape")) == 0) {
        refused("open through an escaping symlink", open(at("escape/etc"), O_RDONLY) >= 0);
        unlink(at("escape"));
    } else {
        refused("open through an escaping symlink", false);
    }
    refused("rename out of the folder", rename(at("lines.txt"), at("../stolen")) == 0);
    refused("mkdir outside the folder", mkdir(at("../made"), 0755) == 0);
    int fd = open(at("sub/../lines.txt"), O_RDONLY);
    works("open sub/../lines.txt", fd >= 0);
    close(fd);
}

static void test_times(void) {
    struct stat st;
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1234567890}};
    works("utimensat", utimensat(AT_FDCWD, at("sub/b.txt"), times, 0) == 0);
    works("stat", stat(at("sub/b.txt"), &st) == 0);
    show("modified", "%lld", (long long)st.st_mtime);
    show("accessed", "%lld", (long long)st.st_atime);

    int fd = open(at("sub/b.txt"), O_RDWR);
    works("open", fd >= 0);
    times[0].tv_nsec = UTIME_OMIT, times[1].tv_sec = 1111111111;
    works("futimens", futimens(fd, times) == 0);
    works("fstat", fstat(fd, &st) == 0);
    show("modified", "%lld", (long long)st.st_mtime);
    show("accessed", "%lld", (long long)st.st_atime);
    close(fd);
}

static void clean_up(void) {
    fails("unlink a missing file", unlink(at("missing")) == 0, ENOENT);
    static const char *const files[] = {"lines.txt", "sub/b.txt", "sub/c.txt",   "sub/hard.txt",
                                        "sub/link",  "sub/loop",  "sub/dangling"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) works("unlink", unlink(at(files[i])) == 0);
    works("rmdir", rmdir(at("sub/moved")) == 0);
    works("rmdir", rmdir(at("sub")) == 0);
    list(".");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fputs("usage: files DIR\n", stderr);
        return 2;
    }
    root = argv[1];
    puts("-- reading and writing"), test_reading_and_writing();
    puts("-- stdio"), test_stdio();
    puts("-- directories"), test_directories();
    puts("-- links"), test_links();
    puts("-- times"), test_times();
    puts("-- sandbox"), test_sandbox();
    puts("-- listing"), list("."), list("sub");
    puts("-- clean up"), clean_up();
    printf("unexpected results: %d\n", unexpected);
    return unexpected != 0;
}
