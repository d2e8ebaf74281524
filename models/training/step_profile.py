"""How fast a training's step is, and how much of it is arithmetic: any training script with ``--profile STEPS``."""
import itertools
import resource
import time
from collections.abc import Callable
from typing import Any

from torch.profiler import ProfilerActivity, profile

#: Operators that multiply matrices or convolve, forwards and backwards; the rest moves, normalises and adds.
ARITHMETIC = ('mm', 'addmm', 'bmm', 'baddbmm', 'mkldnn_convolution', 'convolution_backward', 'mkldnn_linear', '_scaled_dot_product',
              'cudnn_convolution', '_flash_attention', '_efficient_attention')
#: Steps before the clock starts: the first ones choose kernels and fill caches.
WARM_UP = 2


def processor_seconds() -> float:
    """Of this process alone; the data process has its own."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def is_arithmetic(name: str) -> bool:
    return any(name.removeprefix('aten::').startswith(operator) for operator in ARITHMETIC)


def arithmetic_share(step: Callable[[], Any]) -> float:
    """Part of a step's processor time that is spent multiplying."""
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        step()
    events = recorded.key_averages()
    whole = sum(event.self_cpu_time_total for event in events)
    return sum(event.self_cpu_time_total for event in events if is_arithmetic(event.key)) / max(1, whole)


def report(take: Callable[[Any], Any], batches: Any, steps: int, batch: int) -> str:
    """Takes ``steps`` batches of ``batch`` samples; a line of figures."""
    for ready in itertools.islice(batches, WARM_UP):
        take(ready)
    began, busy, waited = time.time(), processor_seconds(), 0.
    for _ in range(steps):
        asked = time.time()
        ready = next(batches)
        waited += time.time() - asked
        take(ready)
    seconds, used = time.time() - began, processor_seconds() - busy
    share = arithmetic_share(lambda: take(ready))
    return (f'{steps * batch / seconds:.2f} samples/s, {1000 * used / (steps * batch):.0f} ms of processor time per sample, '
            f'{waited / seconds:.0%} of the time waiting for data, {share:.0%} of the step arithmetic')
