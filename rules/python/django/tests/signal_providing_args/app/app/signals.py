from django import dispatch
from django.dispatch import Signal

placed = Signal(providing_args=["order", "user"])
paid = dispatch.Signal(["order"], True)
sent = Signal(
    providing_args=["order"],
    use_caching=True,
)
lost = Signal(["order"], use_caching=True)
bare = Signal(None)
plain = Signal()
