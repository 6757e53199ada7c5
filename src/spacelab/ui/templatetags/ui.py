"""Template helpers that every page may use."""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput
from django.template.context import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "spacelab_theme"

register = template.Library()
_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image"])


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one symbol of `ui/icons.svg`, hidden from screen readers: the words beside it speak."""
    return format_html(
        '<svg class="icon" aria-hidden="true" viewBox="0 0 20 20"><use href="{}#{}"/></svg>',
        static("ui/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Return what the visitor chose: `light`, `dark`, or `auto` for what the device says."""
    request = context.get("request")
    chosen = request.COOKIES.get(THEME_COOKIE, "auto") if request else "auto"
    return chosen if chosen in THEMES else "auto"


@register.inclusion_tag("ui/_nav_link.html", takes_context=True)
def nav_link(context: Context, route: str, label: str, symbol: str = "") -> dict[str, Any]:
    """Link to `route`, marked when the visitor is there or below; nothing when there is no such route."""
    try:
        address = reverse(route)
    except NoReverseMatch:
        return {"address": ""}
    request = context.get("request")
    path = request.path if request else ""
    current = "page" if path == address else "true" if address != "/" and path.startswith(address) else ""
    return {"address": address, "label": label, "symbol": symbol, "current": current}


@register.filter
def initials(name: object) -> str:
    """Shorten a name to the first letters of its first and last word."""
    words = str(name).split()
    return "".join(word[0] for word in dict.fromkeys((words[0], words[-1]))).upper() if words else "?"


@register.filter
def markdown(text: str) -> SafeString:
    """Render CommonMark with tables as HTML; HTML in the text stays text, images and unsafe links are left out."""
    return SafeString(_markdown.render(text or ""))


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Say whether the field is one box to tick, whose label stands behind it."""
    return type(field.field.widget) is CheckboxInput


@register.filter
def is_group(field: BoundField) -> bool:
    """Say whether the field is several boxes, which need a fieldset and a legend."""
    return bool(field.field.widget.use_fieldset)


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: object) -> str:
    """Return the page's query string with `changes` made to it; an empty value takes its key away."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        if value in ("", None):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.inclusion_tag("ui/_stars.html")
def stars(value: float | None) -> dict[str, Any]:
    """Draw a number of up to five stars, to the half of one."""
    halves = round((value or 0) * 2)
    full, half = divmod(halves, 2)
    return {"value": value, "shapes": (["star-full"] * full + ["star-half"] * half + ["star"] * 5)[:5]}
