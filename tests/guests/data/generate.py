#!/usr/bin/env python3
"""Writes the generated inputs beside this file: access.log and the shop's CSV tables.

Usage: python3 generate.py

Everything comes from one seeded generator written out below, so the files never change unless
this script does. All names and addresses are made up; addresses are from the documentation ranges.
"""

import pathlib

HERE = pathlib.Path(__file__).parent


class Random:
    """A 64-bit linear congruential generator; the high bits are good enough for test data."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def choice(self, items):
        return items[self.below(len(items))]

    def skewed(self, n):
        """Favours small numbers."""
        return min(self.below(n), self.below(n), self.below(n))


def timestamp(seconds):
    """Seconds since 1 March 2025, in the format of the common log."""
    day, rest = divmod(seconds, 86400)
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    return f"{day + 1:02}/Mar/2025:{hour:02}:{minute:02}:{second:02} +0000"


def access_log(random, lines):
    agents = [
        "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15",
        "curl/8.5.0",
        "ExampleBot/2.1 (+https://bot.example.com)",
    ]
    users = ["-", "-", "-", "alice", "bob", "carol"]
    seconds = 0
    for i in range(lines):
        hour = seconds // 3600 % 24
        seconds += random.below(180 if 8 <= hour < 20 else 700)
        client = f"192.0.2.{1 + random.skewed(120)}"
        agent = agents[random.skewed(4)]
        kind = random.below(20)
        method, status, size = "GET", 200, 500 + random.skewed(40000)
        if kind < 8:
            path = f"/products/{1 + random.skewed(300)}"
            if random.below(4) == 0:
                path += f"?ref={random.choice(['home', 'mail', 'search'])}"
        elif kind < 12:
            path = f"/search?q={random.choice(['lamp', 'desk', 'chair', 'red+sofa', 'shelf'])}&page={1 + random.skewed(9)}"
        elif kind < 14:
            path, size = f"/static/{random.choice(['app.js', 'style.css', 'logo.svg'])}", 2000 + random.below(90000)
            if random.below(3) == 0:
                status, size = 304, 0
        elif kind < 16:
            method, path, status = "POST", "/cart/items", 201
        elif kind < 17:
            method, path = "PUT", f"/users/{1 + random.below(500)}/settings"
            status = random.choice([204, 204, 204, 401])
        elif kind < 18:
            path, status, size = f"/old/{random.below(50)}.html", 404, 312
        else:
            path = "/"
        if random.below(90) == 0:
            status, size = random.choice([500, 502, 503]), 170
        micros = 800 + random.skewed(90000) + (250000 if status >= 500 else 0)
        if i % 397 == 396:
            yield f"worker {random.below(8)} restarted"  # what every real log has: a line of another kind
        yield (
            f'{client} - {random.choice(users)} [{timestamp(seconds)}] "{method} {path} HTTP/1.1" '
            f'{status} {size} "-" "{agent}" {micros}'
        )


def customers(random):
    first = ["Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Inés", "Jonas", "Kaja", "Liam"]
    last = ["Abel", "Brandt", "Costa", "Dahl", "Eriksen", "Fischer", "Gruber", "Horváth", "O'Neil", "Åkesson"]
    cities = ["Oslo", "Porto", "Graz", "Lyon", "Gdańsk", "Turku"]
    yield "id,name,city,since"
    for i in range(1, 121):
        city = random.choice(cities) if random.below(15) else ""
        yield f"{i},{random.choice(first)} {random.choice(last)},{city},{2015 + random.below(10)}"


def products(random):
    kinds = [("Lamp", 39), ("Desk", 249), ("Chair", 89), ("Shelf", 65), ("Sofa", 699), ("Rug", 120)]
    styles = ["Classic", "Modern", "Rustic", "Nordic"]
    yield "id,name,kind,price"
    number = 0
    for kind, price in kinds:
        for style in styles:
            number += 1
            cents = price * 100 + random.below(price * 50)
            name = f'"{kind}, {style} ""{number:02}"""'
            yield f"{number},{name},{kind},{cents / 100:.2f}"


def orders(random, count):
    yield "id,customer,product,quantity,month,status"
    for i in range(1, count + 1):
        status = random.choice(["paid"] * 8 + ["returned", "open"])
        yield f"{i},{1 + random.skewed(110)},{1 + random.below(24)},{1 + random.skewed(6)},{1 + random.below(12)},{status}"


def write(name, lines):
    (HERE / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main():
    write("access.log", access_log(Random(1), 1500))
    write("customers.csv", customers(Random(2)))
    write("products.csv", products(Random(3)))
    write("orders.csv", orders(Random(4), 2500))


if __name__ == "__main__":
    main()
