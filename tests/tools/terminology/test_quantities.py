import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.terminology.observations import TESTS, unit_of, units
from tools.terminology.quantities import convert, quantities_in, read_quantity

VALUES = {
    (9.4, "%"): ("nine point four percent",),
    (7.9, "%"): ("7.9 %", "7.9%", "7.9 percent"),
    (7, "%"): ("seven percent",),
    (58, "mmol/mol"): ("58 mmol/mol",),
    (220, "[lb_av]"): ("220 lbs", "220lb", "220 pounds"),
    (212.5, "[lb_av]"): ("212 lb 8 oz",),
    (99.8, "kg"): ("99.8 kg",),
    (64, "[in_i]"): ("5'4\"", "5' 4\"", "5 ft 4 in", "5 feet 4 inches", "64 inches"),
    (72, "[in_i]"): ("6 feet",),
    (163, "cm"): ("163 cm",),
    (32.1, "kg/m2"): ("32.1 kg/m2", "32.1 kg/m²"),
    (1000, "mg"): ("1,000 mg", "1000mg"),
    (500, "mg"): ("500 milligrams",),
    (50, "ug"): ("50 mcg", "50 µg"),
    (0.5, "mL"): ("0.5 mL", ".5 ml"),
    (100, "[IU]"): ("100 units",),
    (2000, "[IU]"): ("2,000 IU",),
    (20, "meq"): ("20 mEq",),
    (112, "mg/dL"): ("112 mg/dL",),
    (6.2, "mmol/L"): ("6.2 mmol/L",),
    (45, "mL/min/{1.73_m2}"): ("45 mL/min/1.73 m2", "45 mL/min/1.73m²"),
    (30, "mg/g"): ("30 mg/g",),
    (22, "/h"): ("22 events/hour", "22 events per hour"),
    (40, "U/L"): ("40 U/L",),
    (250, "10*3/uL"): ("250 K/uL",),
    (8, "kPa"): ("8 kPa",),
    (3, "mo"): ("three months", "3 months", "tres meses"),
    (12, "wk"): ("twelve weeks",),
    (90, "d"): ("90 days", "90-day"),
    (6, "mo"): ("6-month",),
    (2, "a"): ("two years",),
    (2.5, "a"): ("two and a half years",),
    (24, "h"): ("24 hours", "24h"),
    (30, "{tablet}"): ("30 tablets",),
    (0.5, "{tablet}"): ("1/2 tablet",),
    (1.5, "{tablet}"): ("1 1/2 tablets",),
    (2, "{pen}"): ("two pens",),
    (2, "{fill}"): ("2 fills",),
    (25, "d"): ("twenty-five days",),
    (180, "d"): ("one hundred eighty days",),
    (2, "/d"): ("bid", "BID", "b.i.d.", "q12h", "twice daily", "twice a day"),
    (3, "/d"): ("tid", "q 8 hours", "every 8 hours", "three times a day", "3x/day"),
    (1, "/d"): ("qd",),
    (0.5, "/d"): ("every other day",),
    (1, "/wk"): ("once weekly", "weekly"),
    (1, "/mo"): ("once a month",),
    (25, "[USD]"): ("$25",),
    (7.9, ""): ("7.9",),
    (101, "[degF]"): ("101 °F",),
}


@pytest.mark.parametrize(
    ("text", "value"), [(text, value) for value, texts in VALUES.items() for text in texts]
)
def test_a_quantity_is_read_in_every_form(text: str, value: tuple[float, str]) -> None:
    for around in ("{}", "was {}, stable", "({})"):
        (found,) = quantities_in(around.format(text))
        assert found.value == pytest.approx(value[0])
        assert found.unit == value[1]


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("0.25–0.5 mg", 0.25, 0.5, "mg"),
        ("0.25-0.5 mg", 0.25, 0.5, "mg"),
        ("5 to 10 mg", 5, 10, "mg"),
        ("7.9-8.4 %", 7.9, 8.4, "%"),
        ("3-6 months", 3, 6, "mo"),
    ],
)
def test_a_range_has_both_ends(text: str, low: float, high: float, unit: str) -> None:
    (found,) = quantities_in(text)
    assert (found.low, found.high, found.unit, found.value) == (low, high, unit, None)


@pytest.mark.parametrize(
    ("text", "compare", "value", "unit"),
    [
        ("< 7.0 %", "<", 7, "%"),
        ("≥ 30 kg/m2", ">=", 30, "kg/m2"),
        (">=27", ">=", 27, ""),
        ("at least 90 days", ">=", 90, "d"),
        ("over 200 lb", ">", 200, "[lb_av]"),
        ("less than 6 months", "<", 6, "mo"),
        ("up to 2 mg", "<=", 2, "mg"),
    ],
)
def test_a_bound_says_which_way(text: str, compare: str, value: float, unit: str) -> None:
    (found,) = quantities_in(text)
    assert (found.compare, found.value, found.unit) == (compare, value, unit)


@pytest.mark.parametrize(
    ("text", "value", "unit", "per"),
    [
        ("2 mL/28 days", 2, "mL", (28, "d")),
        ("3 mL per 28 days", 3, "mL", (28, "d")),
        ("30 tablets per 30 days", 30, "{tablet}", (30, "d")),
        ("1 pen per 28 days", 1, "{pen}", (28, "d")),
        ("5 mg/day", 5, "mg", (1, "d")),
        ("$50 per month", 50, "[USD]", (1, "mo")),
        ("2 fills in 12 months", 2, "{fill}", (12, "mo")),
    ],
)
def test_a_rate_says_for_how_long(text: str, value: float, unit: str, per: tuple[float, str]) -> None:
    (found,) = quantities_in(text)
    assert (found.value, found.unit, found.per) == (value, unit, per)


def test_a_blood_pressure_is_two_values() -> None:
    assert [(one.value, one.unit) for one in quantities_in("BP 132/84 mmHg")] == [
        (132, "mm[Hg]"),
        (84, "mm[Hg]"),
    ]


@pytest.mark.parametrize("text", ["45-year-old", "45 y/o", "45 yo", "45 years old", "45 years of age"])
def test_an_age_is_an_age(text: str) -> None:
    (found,) = quantities_in(text)
    assert (found.value, found.dimension) == (45, "age")


def test_what_is_left_open_is_said_to_be_so() -> None:
    (found,) = quantities_in("about 12 weeks")
    assert found.about
    assert found.value == 12


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [(220, "[lb_av]", "kg", 99.79), (64, "[in_i]", "cm", 162.56), (1, "g", "mg", 1000), (2, "wk", "d", 14)],
)
def test_a_unit_is_converted_within_its_dimension(value: float, unit: str, to: str, expected: float) -> None:
    assert convert(value, unit, to) == pytest.approx(expected, abs=0.01)
    assert convert(value, unit, "mmol/mol") is None


def test_every_spelling_of_every_unit_is_read() -> None:
    for spelling, row in units().items():
        found = unit_of(spelling.upper() if len(spelling) > 2 else spelling)
        assert found is not None and found.unit == row.unit, spelling


def test_every_unit_of_every_test_is_a_unit() -> None:
    for key, test in TESTS.items():
        for unit in test.units:
            assert unit in ("1", "{presence}", "th percentile") or unit_of(unit), (key, unit)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for found in quantities_in(text):
        assert 0 <= found.start < found.end <= len(text)


@given(
    st.decimals(min_value=0, max_value=9999, places=2),
    st.sampled_from(["mg", "%", "kg", "mL", "mg/dL", "days"]),
)
def test_a_number_and_its_unit_come_back(value: object, unit: str) -> None:
    found = read_quantity(f"{value} {unit}")
    assert found is not None
    assert found.value == float(str(value))
