#include "schedulers/cluster/zmq/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "tcp://";

/* A digit's worth; 16: it is none. */
static unsigned digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (unsigned)(at - digits) : 16;
}

bool rk_key_read(const char *text, uint8_t key[KEY_BYTES])
{
    uint8_t bytes[KEY_BYTES];
    if (strlen(text) != KEY_DIGITS)
        return false;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        unsigned high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high > 15 || low > 15)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(key, bytes, sizeof bytes);
    return true;
}

void rk_key_write(const uint8_t key[KEY_BYTES], char text[KEY_DIGITS + 1])
{
    for (size_t i = 0; i < KEY_BYTES; i++)
        sprintf(text + 2 * i, "%02x", key[i]);
}

/* "*" or 1 … 65535. */
static bool read_port(const char *text, size_t len, uint16_t *port)
{
    unsigned long number = 0;
    if (len == 1 && *text == '*') {
        *port = 0;
        return true;
    }
    for (size_t i = 0; i < len && number <= UINT16_MAX; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (unsigned long)(text[i] - '0');
    }
    *port = (uint16_t)number;
    return number >= 1 && number <= UINT16_MAX;
}

/* The first address that the name has, in digits. */
static bool look_up(const char *name, char host[MAX_HOST + 1])
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char digits[MAX_HOST - 1];
    if (getaddrinfo(name, NULL, &hints, &found))
        return false;
    bool ok = !getnameinfo(found->ai_addr, found->ai_addrlen, digits, sizeof digits, NULL, 0, NI_NUMERICHOST);
    if (ok)
        snprintf(host, MAX_HOST + 1, found->ai_family == AF_INET6 ? "[%s]" : "%s", digits);
    freeaddrinfo(found);
    return ok;
}

static bool is_interface(const char *name)
{
    return if_nametoindex(name) != 0;
}

static bool read_host(const char *text, size_t len, char host[MAX_HOST + 1])
{
    char name[256];
    bool brackets = len > 2 && *text == '[' && text[len - 1] == ']';
    if (!len || len >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(brackets ? len - 2 : len), brackets ? text + 1 : text);
    if (strcmp(name, "*") != 0 && !is_interface(name))
        return look_up(name, host);
    return (size_t)snprintf(host, MAX_HOST + 1, "%s", name) <= MAX_HOST;
}

bool rk_address_read(const char *text, rk_address *address)
{
    rk_address a = {0};
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return false;
    text += sizeof scheme - 1;
    const char *slash = strchr(text, '/'), *end = slash ? slash : text + strlen(text);
    const char *colon = memrchr(text, ':', (size_t)(end - text));
    if (!colon || !read_port(colon + 1, (size_t)(end - colon - 1), &a.port))
        return false;
    a.has_key = slash != NULL;
    if (slash && !rk_key_read(slash + 1, a.key))
        return false;
    if (!read_host(text, (size_t)(colon - text), a.host))
        return false;
    *address = a;
    return true;
}

uint16_t rk_address_port(const char *endpoint)
{
    uint16_t port;
    const char *colon = strrchr(endpoint, ':');
    return colon && read_port(colon + 1, strlen(colon + 1), &port) ? port : 0;
}

void rk_address_endpoint(const rk_address *address, uint16_t port, char endpoint[MAX_ENDPOINT + 1])
{
    if (port)
        snprintf(endpoint, MAX_ENDPOINT + 1, "%s%s:%u", scheme, address->host, port);
    else
        snprintf(endpoint, MAX_ENDPOINT + 1, "%s%s:*", scheme, address->host);
}

bool rk_address_is_ipv6(const rk_address *address)
{
    return address->host[0] == '[';
}

bool rk_address_is_any(const rk_address *address)
{
    return !strcmp(address->host, "*") || !strcmp(address->host, "0.0.0.0") || !strcmp(address->host, "[::]");
}

void rk_address_own_host(char host[MAX_HOST + 1])
{
    struct ifaddrs *all = NULL;
    snprintf(host, MAX_HOST + 1, "127.0.0.1");
    if (getifaddrs(&all))
        return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        bool fits = i->ifa_addr && i->ifa_addr->sa_family == AF_INET && i->ifa_flags & IFF_UP &&
                    !(i->ifa_flags & IFF_LOOPBACK);
        if (fits && !getnameinfo(i->ifa_addr, sizeof(struct sockaddr_in), host, MAX_HOST + 1, NULL, 0,
                                 NI_NUMERICHOST))
            break;
    }
    freeifaddrs(all);
}
