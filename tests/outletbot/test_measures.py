"""
Requests are counted by route and told as Prometheus wants them.
"""

from prometheus_client import CollectorRegistry, generate_latest

from outletbot.web.measures import Answers


def told(answers: Answers) -> str:
    registry = CollectorRegistry()
    registry.register(answers)
    return generate_latest(registry).decode()


def test_each_is_counted_by_what_came_of_it() -> None:
    answers = Answers()

    for status in (200, 200, 304):
        answers.count("GET", "/d/{code}", status, 0.001)

    page = 'outletbot_requests_total{method="GET",route="/d/{code}"'
    assert f'{page},status="200"}} 2.0' in told(answers)
    assert f'{page},status="304"}} 1.0' in told(answers)


def test_times_add_up_by_route_whatever_came_of_it() -> None:
    answers = Answers()

    for status, seconds in ((200, 0.002), (200, 0.003), (404, 0.04), (200, 60)):
        answers.count("GET", "/", status, seconds)

    lines = told(answers).splitlines()
    bucket = 'outletbot_request_seconds_bucket{le="%s",route="/"} %s'
    for end, count in (("0.002", 1.0), ("0.005", 2.0), ("0.025", 2.0), ("0.05", 3.0)):
        assert bucket % (end, count) in lines
    assert bucket % ("30.0", 3.0) in lines
    assert bucket % ("+Inf", 4.0) in lines
    assert 'outletbot_request_seconds_count{route="/"} 4.0' in lines
    assert 'outletbot_request_seconds_sum{route="/"} 60.045' in lines


def test_nothing_is_told_of_what_nobody_asked_for() -> None:
    assert "route=" not in told(Answers())
