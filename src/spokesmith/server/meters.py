"""What the server counts, for Prometheus.

Counts of the engine are read from it when somebody asks; the rest is counted as answers end.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from spokesmith.backends.completion import Completion
from spokesmith.backends.request import Stats

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
RATES = (1, 5, 10, 20, 40, 80, 160, 320, 640, 1280)


class Meters:
    """The counts of one server.

    Args:
        stats: the engine's counts, None while there is no engine.
    """

    def __init__(self, stats: Callable[[], Stats | None]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_EngineCollector(stats))
        self._requests = Counter(
            "spokesmith_requests",
            "HTTP requests, by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "spokesmith_request_seconds",
            "Seconds from a request to the end of its answer",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._answers = Counter(
            "spokesmith_answers",
            "Answers that ended, by model and reason",
            ["model", "finish_reason"],
            registry=self.registry,
        )
        self._held = Counter(
            "spokesmith_held_answers",
            "Answers that were held to a schema, by outcome: valid, invalid, cut",
            ["model", "outcome"],
            registry=self.registry,
        )
        self._closed = Counter(
            "spokesmith_closed_answers",
            "Answers that reached their limit and were given a valid ending",
            ["model"],
            registry=self.registry,
        )
        self._waiting = self._histogram("waiting", "Seconds in the queue", SECONDS)
        self._first_token = self._histogram("first_token", "Seconds to the first token", SECONDS)
        self._answer = self._histogram("answer", "Seconds to the whole answer", SECONDS)
        self._rate = Histogram(
            "spokesmith_answer_tokens_per_second",
            "Tokens of an answer over the seconds that it took",
            buckets=RATES,
            registry=self.registry,
        )

    def count_request(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def count_answer(self, model: str, completion: Completion, outcome: str | None) -> None:
        """Count a whole answer; `outcome` says whether it held to what it was held to."""
        self._answers.labels(model, completion.finish_reason).inc()
        if outcome is not None:
            self._held.labels(model, outcome).inc()
        if completion.closed:
            self._closed.labels(model).inc()
        timing = completion.timing
        self._waiting.observe(timing.waiting_s)
        self._first_token.observe(timing.first_token_s)
        self._answer.observe(timing.total_s)
        self._rate.observe(timing.tokens_per_s(completion.usage.completion_tokens))

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"spokesmith_{name}_seconds", words, buckets=buckets, registry=self.registry
        )


class _EngineCollector(Collector):
    """Reads the engine's counts."""

    def __init__(self, stats: Callable[[], Stats | None]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        stats = self._stats()
        yield _gauge("ready", "1 when the engine is loaded", 0 if stats is None else 1)
        if stats is None:
            return
        yield _gauge("running_answers", "Answers under way: the size of the batch", stats.running)
        yield _gauge("waiting_answers", "Answers in the queue", stats.waiting)
        yield _gauge("slots", "Most answers at once", stats.num_slots)
        yield _gauge(
            "prefix_cache_bytes", "Memory of shared beginnings of prompts", stats.prefix_cache_bytes
        )
        yield _counter("forwards", "Forward passes", stats.forwards)
        yield _counter("forward_tokens", "Tokens that went through a forward", stats.forward_tokens)
        yield _counter("prompt_tokens", "Tokens of prompts", stats.prompt_tokens)
        yield _counter("cached_tokens", "Tokens of prompts not computed again", stats.cached_tokens)
        yield _counter("drafted_tokens", "Tokens proposed without a forward", stats.drafted_tokens)
        tokens = CounterMetricFamily(
            "spokesmith_tokens",
            "Tokens of answers by origin: model, forced by the grammar, copied, closing",
            labels=["origin"],
        )
        for origin in ("model", "forced", "copied", "closing"):
            tokens.add_metric([origin], getattr(stats, f"tokens_{origin}"))
        yield tokens
        kept = stats.tokens_copied + stats.tokens_forced
        made = kept + stats.tokens_model + stats.tokens_closing
        accepted = kept / stats.drafted_tokens if stats.drafted_tokens else 0
        yield _gauge("accepted_share", "Share of proposed tokens that were kept", accepted)
        forced = stats.tokens_forced / made if made else 0
        yield _gauge("forced_share", "Share of tokens that the grammar forced", forced)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"spokesmith_{name}", words, value)


def _counter(name: str, words: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"spokesmith_{name}", words, value)
