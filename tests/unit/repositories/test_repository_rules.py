"""Decisions about repositories: which are fetched, and what their fetch says."""

from __future__ import annotations

import pytest

from spacelab.kit.refusals import Invalid
from spacelab.repositories.rules import check_git_ref, check_git_url, commit_in, why_not
from spacelab.site.configuration import Configuration

BLOCKED = Configuration.model_fields["egress_blocked"].default


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "/etc",
        "../there",
        "ssh://git@example.org/a.git",
        "git@example.org:a/b.git",
        "git://example.org/a",
        "ext::sh -c 'touch /tmp/x'",
        "http::http://127.0.0.1/",
        "https://",
        "https://ada:secret@example.org/a.git",
        "https://token@example.org/a.git",
        "https://example.org/a.git?access_token=secret",
        "https://example.org#@127.0.0.1/a",
        "https://example.org/a b",
        "https://exam\nple.org/",
        "https://[::1",
        "http://localhost/a.git",
        "http://LOCALHOST./a",
        "http://git.localhost/a",
        "http://intranet/a",
        "http://db.internal/a",
        "http://127.0.0.1/a",
        "http://127.1/a",
        "http://2130706433/a",
        "http://0x7f000001/a",
        "http://[::1]/a",
        "http://[::ffff:127.0.0.1]/a",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.8/a",
        "http://[fd00::1]/a",
        "https://example.org:99999/a",
        "https://" + "a" * 600,
    ],
)
def test_what_is_not_on_the_public_web_is_refused_at_the_form(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_git_url(url, blocked=BLOCKED)
    assert refusal.value.field == "git_url"
    assert refusal.value.advice


def test_public_addresses_and_allowed_ones_are_taken() -> None:
    for url in ("https://example.org/a/b.git", "http://example.org:8080/x", "https://[2001:db8::1]/x"):
        assert check_git_url(f"  {url} ", blocked=BLOCKED) == url
    assert check_git_url("http://127.0.0.1:8/a", blocked=BLOCKED, allowed=["127.0.0.1"])
    assert check_git_url("http://10.1.2.3/a", blocked=BLOCKED, allowed=["10.1.0.0/16"])
    assert check_git_url("http://git.internal/a", blocked=BLOCKED, allowed=["git.internal"])


def test_a_branch_a_tag_or_a_commit() -> None:
    for ref in ("", "main", "v1.0", "feature/x-1", "3f2a1b4c"):
        assert check_git_ref(f" {ref} ") == ref
    for ref in ("--upload-pack=sh", "-x", "a..b", "a b", "refs@{1}", "x.lock", "a/", "$(id)"):
        with pytest.raises(Invalid):
            check_git_ref(ref)


def test_what_a_fetch_printed_is_told_in_words() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert commit_in(f"STEP 2/3: x\nCOMMIT {commit}\nmore\n".encode()) == commit
    assert commit_in(b"remote: COMMIT 123\n") == ""
    message, advice = why_not("fatal: couldn't find remote ref no-such", "https://example.org/a.git", "no-such")
    assert message == "The repository has no such branch, tag or commit: https://example.org/a.git at no-such."
    assert advice
    assert why_not("odd", "https://example.org/a.git", "") == (
        "The repository can't be fetched: https://example.org/a.git.",
        "",
    )
