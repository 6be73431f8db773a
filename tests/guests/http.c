// http: an HTTP/1.1 server on a listener that the host grants.
//
// Usage: http LISTENER REQUESTS
//
// Accepts connections on the descriptor LISTENER, serves up to 64 of them at a time, keeps them alive,
// and ends after REQUESTS requests. The body of a response is the path of the request and, for POST,
// the body of the request.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 64, BUFFER = 8192 };

typedef struct {
    int fd;
    size_t used;
    char buffer[BUFFER];
} Connection;

static Connection connections[CONNECTIONS];
static int open_connections;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void send_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, 0);
        if (n < 0) fail("send");
        bytes += n;
        length -= (size_t)n;
    }
}

// The number in the header NAME of the head that ends at END, or 0.
static size_t header(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = head; line < end; line++) {
        if (strncasecmp(line, name, length) == 0) return strtoul(line + length, NULL, 10);
        line = memchr(line, '\n', (size_t)(end - line));
        if (line == NULL) break;
    }
    return 0;
}

// Answers the first request in the buffer, if it is complete. Returns whether it is.
static int answer(Connection *c) {
    char *head_end = memmem(c->buffer, c->used, "\r\n\r\n", 4);
    if (head_end == NULL) return 0;
    char *body = head_end + 4;
    size_t body_length = header(c->buffer, head_end, "Content-Length:");
    size_t length = (size_t)(body - c->buffer) + body_length;
    if (length > c->used) return 0;

    char *path = memchr(c->buffer, ' ', (size_t)(head_end - c->buffer));
    char *path_end = path ? memchr(path + 1, ' ', (size_t)(head_end - path - 1)) : NULL;
    if (path_end == NULL) fail("not HTTP");
    path++;

    char reply[BUFFER + 256];
    size_t path_length = (size_t)(path_end - path);
    int n = snprintf(reply, sizeof reply,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                     path_length + 1 + body_length);
    char *at = reply + n;
    memcpy(at, path, path_length);
    at += path_length;
    *at++ = '\n';
    memcpy(at, body, body_length);
    at += body_length;
    send_all(c->fd, reply, (size_t)(at - reply));

    c->used -= length;
    memmove(c->buffer, c->buffer + length, c->used);
    return 1;
}

static void hang_up(Connection *c) {
    close(c->fd);
    *c = connections[--open_connections];
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: http LISTENER REQUESTS\n");
        return 2;
    }
    int listener = atoi(argv[1]);
    long wanted = atol(argv[2]), answered = 0;

    while (answered < wanted) {
        struct pollfd polled[CONNECTIONS + 1];
        for (int i = 0; i < open_connections; i++) {
            polled[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLRDNORM};
        }
        int served = open_connections, waiting = served;
        // More connections wait in the listener's queue.
        if (served < CONNECTIONS) {
            polled[waiting++] = (struct pollfd){.fd = listener, .events = POLLRDNORM};
        }
        if (poll(polled, (nfds_t)waiting, -1) < 0) fail("poll");

        if (waiting > served && polled[served].revents != 0) {
            int fd = accept(listener, NULL, NULL);
            if (fd < 0) fail("accept");
            connections[open_connections++] = (Connection){.fd = fd};
        }
        // Backwards, because the last connection replaces one that is closed.
        for (int i = served; i-- > 0;) {
            Connection *c = &connections[i];
            if (polled[i].revents == 0) continue;
            ssize_t n = recv(c->fd, c->buffer + c->used, BUFFER - c->used, 0);
            if (n <= 0) {
                hang_up(c);
                continue;
            }
            c->used += (size_t)n;
            while (answer(c)) answered++;
            if (c->used == BUFFER) hang_up(c);
        }
    }
    printf("%ld requests\n", answered);
    return 0;
}
