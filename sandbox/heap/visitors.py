"""The visitors of the simulated site and their activity: any user, session or event by its number."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from sandbox.heap.columns import LONG_COLUMNS, Row

_IDS = 2**62
_SCATTER = 0x1E3779B97F4A7C15  # odd, so that distinct numbers give distinct ids
_ROLES = ("buyer", "analyst", "operator", "planner", "reviewer", "manager")
_PLACES = (
    ("Switzerland", "Zürich", "Zürich"),
    ("Brazil", "São Paulo", "São Paulo"),
    ("Japan", "東京都", "東京"),
    ("Poland", "Małopolskie", "Kraków"),
    ("United States", "Ohio", "Columbus"),
    ("India", "Karnataka", "Bengaluru"),
)
_PAGES = (
    ("/", "Home"),
    ("/pricing", "Plans & pricing from €0"),
    ("/docs/start", "Getting started 🚀"),
    ("/cart", "Your cart"),
    ("/checkout/done", "Thank you — naïve café order"),
    ("/search", 'Search "результаты"'),
)
_CAMPAIGNS = ("spring_launch", "brand", "retargeting", None, None)
_BROWSERS = ("Chrome 140.0", "Firefox 142", "Safari 26", "Edge 140")
_PLATFORMS = (("Windows 11", "Desktop"), ("macOS 26", "Desktop"), ("iOS 26", "Mobile"), ("Android 16", "Mobile"))
_BROKEN_TIMES = (None, 0, "", "Invalid date")


class Visitors:
    """The people behind the dumps.

    Days are numbered from 0, and so is everything else; the same number always gives the same content. Ids are
    integers of up to 62 bits, like Heap's.
    """

    def __init__(self, first_day: datetime, *, seed: int, scale: float) -> None:
        """Start the first day at `first_day` (midnight UTC)."""
        self.first_day = first_day
        self.users_per_day = max(12, int(300 * scale))
        self.sessions_per_day = max(8, int(800 * scale))
        self.events_per_day = max(40, int(2500 * scale))
        self._seed = seed

    def users(self, days: range) -> Iterator[Row]:
        """The users who are new or changed on these days, as of the end of the last day."""
        arrived = range(days.start * self.users_per_day, days.stop * self.users_per_day)
        changed = range(0, arrived.start, 9)
        for number in (*changed, *arrived):
            yield self._user(number, days.stop - 1)

    def sessions(self, days: range) -> Iterator[Row]:
        """The sessions of these days."""
        for number in range(days.start * self.sessions_per_day, days.stop * self.sessions_per_day):
            yield self._session(number)

    def events(self, days: range, every: int = 1) -> Iterator[Row]:
        """Every `every`-th event of these days, like the selection by an event's definition."""
        first, last = days.start * self.events_per_day, days.stop * self.events_per_day
        for number in range(first + -first % every, last, every):
            yield self._event(number)

    def migrations(self, days: range) -> Iterator[Row]:
        """The merges of users up to the end of these days, with one chain, one cycle and many-to-one merges."""
        pairs = [(0, 1), (3, 4), (4, 3)]
        if days.stop > 2:  # noqa: PLR2004 # the chain grows by its second link on the third day
            pairs += [(1, 2)]
        pairs += [(number, number - number % 21) for number in range(8, days.stop * self.users_per_day, 7)]
        for position, (source, target) in enumerate(pairs):
            merged = self.first_day + timedelta(seconds=3600 + position)
            yield {
                "from_user_id": self._identifier("user", source),
                "to_user_id": self._identifier("user", target),
                "time": merged if position else _BROKEN_TIMES[1],
            }

    def _user(self, number: int, day: int) -> Row:
        random = Random(f"{self._seed}/user/{number}/{day}")
        role = _ROLES[number % len(_ROLES)]
        known = number % 3 > 0
        joined = self.first_day - timedelta(days=400 - number % 400, microseconds=number)
        modified = self.first_day + timedelta(days=day, seconds=random.randrange(86_400))
        return {
            "user_id": self._identifier("user", number),
            "identity": f"{role}-{number:05}@example.com" if known else None,
            "handle": f"{role}_{number:05}" if known else None,
            "email": f"{role}-{number:05}@example.com" if known else None,
            "joindate": joined,
            "last_modified": modified,
            "plan": random.choice(("free", "team", "entreprise été", None)),
            "plan_seats": random.choice((1, 5, 25, 2**40, None)),
            "company_size": random.choice(("1-10", "11-50", "51-200")),
            "lifetime_value": round(random.uniform(0, 9_000), 2),
        }

    def _session(self, number: int) -> Row:
        random = Random(f"{self._seed}/session/{number}")
        day, _ = divmod(number, self.sessions_per_day)
        began = self.first_day + timedelta(days=day, microseconds=random.randrange(86_000_000_000))
        country, region, city = random.choice(_PLACES)
        platform, device_type = random.choice(_PLATFORMS)
        browser = random.choice(_BROWSERS)
        page, _ = random.choice(_PAGES)
        campaign = random.choice(_CAMPAIGNS)
        return {
            "event_id": self._identifier("session", number),
            "session_id": self._identifier("session", number),
            "user_id": self._identifier("user", random.randrange((day + 1) * self.users_per_day)),
            "time": began,
            "type": "session",
            "library": "web" if device_type == "Desktop" else platform.split()[0].lower(),
            "platform": platform,
            "device_type": device_type,
            "device": None if device_type == "Desktop" else f"{platform.split()[0]} device",
            "carrier": None,
            "app_name": None if device_type == "Desktop" else "Example Shop",
            "app_version": None if device_type == "Desktop" else f"4.{number % 12}.0",
            "country": country,
            "region": region,
            "city": city,
            "ip": f"198.51.100.{random.randrange(256)}",
            "referrer": random.choice(("https://search.example/", "android-app://com.example.mail/", None)),
            "landing_page": f"https://shop.example.com{page}",
            "landing_page_query": f"?gclid={random.getrandbits(80):020x}" if campaign else None,
            "browser": browser,
            "search_keyword": None,
            "utm_source": "newsletter" if campaign else None,
            "utm_campaign": campaign,
            "utm_medium": "email" if campaign else None,
            "utm_term": None,
            "utm_content": f"variant {number % 4}" if campaign else None,
            "user_agent": f"Mozilla/5.0 ({platform}) {browser.replace(' ', '/')}",
        }

    def _event(self, number: int) -> Row:
        random = Random(f"{self._seed}/event/{number}")
        day, position = divmod(number, self.events_per_day)
        session = self._session(day * self.sessions_per_day + position % self.sessions_per_day)
        path, title = random.choice(_PAGES)
        since_start = random.randrange(1_800_000_000)
        broken = number % 97 == 7  # noqa: PLR2004 # rare, but always for the same events
        amount = round(random.uniform(1, 500), 2)
        return {
            **session,
            "event_id": self._identifier("event", number),
            "type": random.choice(("click", "submit", "view page")),
            "time": random.choice(_BROKEN_TIMES) if broken else session["time"] + timedelta(microseconds=since_start),
            "session_time": since_start / 1_000_000,
            "path": path,
            "query": f"?ref={random.getrandbits(64):016x}",
            "hash": random.choice((None, "#top")),
            "title": title,
            "domain": "shop.example.com",
            "previous_page": _previous_page(number, path),
            "target_text": random.choice(("Buy now", "Añadir al carrito", "购买", "")),
            "href": path,
            "cart_value": amount,
            "cart_items": random.randrange(1, 9),
            "logged_in": random.random() < 0.5,  # noqa: PLR2004 # a fair coin
            "experiment": number % 4,
            **dict.fromkeys(LONG_COLUMNS, f"variation {number % 3}"),
        }

    def _identifier(self, kind: str, number: int) -> int:
        offset = {"user": 11, "session": 101, "event": 1009}[kind] * (self._seed + 1)
        return (number * _SCATTER + offset * _SCATTER // 7) % _IDS


def _previous_page(number: int, path: str) -> str | None:
    if number % 50 == 0:
        return f"https://shop.example.com{path}?{'q' * 300}"  # real values can be long, or not a URL
    return (f"https://shop.example.com{path}", "file:///tmp/x.html", None)[number % 3]
