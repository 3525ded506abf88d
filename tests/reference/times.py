#!/usr/bin/env python3
"""times.py SEED GROUPS: rules of time, moments, and whether the rules hold, by Python's zoneinfo and datetime alone.

Each line is a JSON object: zone, conditions and holidays as the API has them, moments in seconds since 1970, and a text of 0
and 1, one for each moment. Everything is decided on the calendar of datetime, with no bit masks and no table of offsets.
"""

import json
import random
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = [
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Atlantic/Azores", "America/New_York",
    "America/Chicago", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "America/Santiago", "Africa/Cairo",
    "Africa/Johannesburg", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Australia/Sydney", "Australia/Lord_Howe",
    "Pacific/Chatham",
]
BEGIN = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
END = int(datetime(2031, 1, 1, tzinfo=timezone.utc).timestamp())
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MOMENTS = 100


def changes(zone):
    """The moments of five years at which the clocks of a zone change, by bisection."""
    found, step, info = [], 86_400, ZoneInfo(zone)
    offset = lambda moment: datetime.fromtimestamp(moment, info).utcoffset()
    for moment in range(BEGIN, END, step):
        low, high = moment, moment + step
        if offset(low) != offset(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
    return found


CHANGES = {zone: changes(zone) for zone in ZONES}


def listed(rng, names, first):
    """A list of numbers, names and ranges, some of which go over the end; and what it means."""
    meant, parts = set(), []
    last = first + len(names) - 1
    for _ in range(rng.randint(1, 3)):
        one, other = rng.randint(first, last), rng.randint(first, last)
        spell = lambda number: names[number - first] if names[0] and rng.random() < 0.6 else str(number)
        if rng.random() < 0.5:
            parts.append(spell(one))
            meant.add(one)
        else:
            parts.append(f"{spell(one)}-{spell(other)}")
            while True:
                meant.add(one)
                if one == other:
                    break
                one = first if one == last else one + 1
    return ",".join(parts), meant


def rule(rng, holidays):
    """A rule as the API has it, and a function that tells whether a day fits it, with its times of day."""
    text, tests = {}, []
    if rng.random() < 0.5:
        text["wday"], weekdays = listed(rng, WEEKDAYS, 1)
        tests.append(lambda day: day.isoweekday() % 7 + 1 in weekdays)
    if rng.random() < 0.25:
        text["mday"], days = listed(rng, [""] * 31, 1)
        tests.append(lambda day: day.day in days)
    if rng.random() < 0.25:
        text["mon"], months = listed(rng, MONTHS, 1)
        tests.append(lambda day: day.month in months)
    if holidays and rng.random() < 0.3:
        name = rng.choice(sorted(holidays))
        text["holiday_id"] = name
        dates = set(holidays[name])
        tests.append(lambda day: day.isoformat() in dates or day.isoformat()[5:] in dates)
    begin = end = None
    if rng.random() < 0.7:
        begin, end = rng.randrange(1440), rng.randrange(1440)
        clock = lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}"
        text["time_from"], text["time_to"] = clock(begin), clock(end)
    return text, (lambda day: all(test(day) for test in tests)), begin, end


def holds(one, local):
    """Whether a rule holds at a local time."""
    _, fits, begin, end = one
    if begin is None:
        return fits(local.date())
    # The rule as stretches of the clock on the wall: the one that began today, and the one that began yesterday.
    wall = local.replace(tzinfo=None, second=0, microsecond=0)
    for day in (local.date(), local.date() - timedelta(days=1)):
        midnight = datetime(day.year, day.month, day.day)
        start, stop = midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end)
        if end < begin:
            stop += timedelta(days=1)
        if fits(day) and start <= wall < stop:
            return True
    return False


def moment(rng, zone):
    """Any moment of five years; often one around midnight, or around a change of the clocks."""
    near = CHANGES[zone]
    if near and rng.random() < 0.3:
        return rng.choice(near) + rng.randint(-5400, 5400)
    anywhere = rng.randrange(BEGIN, END)
    if rng.random() < 0.3:
        local = datetime.fromtimestamp(anywhere, ZoneInfo(zone))
        return anywhere - (local.hour * 3600 + local.minute * 60 + local.second) + rng.randint(-180, 180)
    return anywhere


def main():
    seed, groups = map(int, sys.argv[1:])
    rng = random.Random(seed)
    for _ in range(groups):
        zone = rng.choice(ZONES)
        holidays = {}
        for number in range(rng.randint(0, 2)):
            name = f"00000000-0000-0000-0000-00000000000{number}"
            days = [date.fromordinal(date(2026, 1, 1).toordinal() + rng.randrange(1826)) for _ in range(rng.randint(1, 40))]
            holidays[name] = [day.isoformat() if rng.random() < 0.5 else day.isoformat()[5:] for day in days]
        rules = [rule(rng, holidays) for _ in range(rng.randint(1, 4))]
        moments = [moment(rng, zone) for _ in range(MOMENTS)]
        info = ZoneInfo(zone)
        locals_ = [datetime.fromtimestamp(at, info) for at in moments]
        expected = "".join("1" if any(holds(one, local) for one in rules) else "0" for local in locals_)
        print(json.dumps({
            "zone": zone, "conditions": [text for text, *_ in rules], "holidays": holidays,
            "moments": moments, "expected": expected,
        }))


main()
