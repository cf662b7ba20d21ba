"""What people see of the sandbox's Mastodon: an account's posts, newest first.

Plain HTML without a script; it looks again every ten seconds, so that whoever rehearses
sees a post come, change and go. What a picture shows is written under it, since that
is for everyone to check.
"""

from http import HTTPStatus

from aiohttp import web
from jinja2 import Environment
from markupsafe import Markup

from outletbot.sandbox.mastodon_json import content_html
from outletbot.sandbox.mastodon_objects import Account, Status
from outletbot.sandbox.mastodon_state import MastodonSandbox

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #777; --accent: #6364ff;
  --card: #fff; --ground: #eff3f5; --ink: #1b1b26 }
@media (prefers-color-scheme: dark) { :root { --card: #1f232b; --ground: #15181e;
  --ink: #eef; --dim: #9aa } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
main { max-width: 600px; margin: 0 auto; background: var(--card); min-height: 100vh }
header { padding: 20px; border-bottom: 1px solid var(--line) }
h1 { margin: 0; font-size: 1.25rem }
.avatar { width: 56px; height: 56px; border-radius: 12px; background: var(--accent);
  color: #fff; font-size: 28px; font-weight: 700; display: grid; place-items: center;
  margin-bottom: 10px }
.dim, time { color: var(--dim); font-size: .875rem }
article { padding: 16px 20px; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere }
article p { margin: .4em 0 }
a { color: var(--accent) }
.invisible { font-size: 0; line-height: 0 }
.ellipsis::after { content: "…" }
.media { display: grid; gap: 8px; margin: 12px 0 }
.media.many { grid-template-columns: 1fr 1fr }
figure { margin: 0 }
img { display: block; width: 100%; max-height: 420px; object-fit: cover;
  border-radius: 8px; border: 1px solid var(--line) }
figcaption { color: var(--dim); font-size: .8125rem; margin-top: 4px }
figcaption b { border: 1px solid var(--line); border-radius: 4px; padding: 0 4px;
  font-size: .6875rem; margin-right: 4px }
.edited { font-style: normal; border-bottom: 1px dotted; cursor: help }
.empty { padding: 48px 20px; text-align: center; color: var(--dim) }
"""

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>{{ name }} (@{{ account.username }}@{{ domain }})</title>
<style>{{ style }}</style>
<main>
<header>
  <div class="avatar" aria-hidden="true">{{ name[0] | upper }}</div>
  <h1><a href="/@{{ account.username }}">{{ name }}</a></h1>
  <div class="dim">
    @{{ account.username }}@{{ domain }} · a Mastodon to practise on
  </div>
</header>
{% for status in statuses %}
<article lang="{{ status.language or "" }}" id="status-{{ status.id }}">
  <div class="dim">
    <a href="/@{{ account.username }}/{{ status.id }}"><time
      datetime="{{ status.created_at.isoformat() }}">
      {{- day(status.created_at) }}</time></a>
    {% if status.in_reply_to %} · a reply{% endif %}
    {% if status.edited_at %}
    · <em class="edited" title="{{ day(status.edited_at) }}">edited</em>
    {% endif %}
  </div>
  {{ content(status) }}
  {% if status.now.poll %}
  <ul class="dim" title="a poll">
    {% for option in status.now.poll.options %}<li>{{ option }}</li>{% endfor %}
  </ul>
  {% endif %}
  {% if status.now.media %}
  <div class="media{{ " many" if status.now.media | length > 1 }}">
    {% for media in status.now.media %}
    <figure>
      <img src="/media/{{ media.id }}" alt="{{ media.description or "" }}"
        width="{{ media.size[0] }}" height="{{ media.size[1] }}">
      <figcaption><b>ALT</b>{{ media.description or "none given" }}</figcaption>
    </figure>
    {% endfor %}
  </div>
  {% endif %}
</article>
{% else %}
<p class="empty">Nothing posted yet.</p>
{% endfor %}
</main>
</html>
"""
)


def show_account(sandbox: MastodonSandbox, account: Account) -> web.Response:
    """Show the public posts of an account, newest first."""
    statuses = sandbox.statuses_of(account.id)
    return _show(sandbox, account, [one for one in statuses if _is_public(one)])


def show_status(sandbox: MastodonSandbox, status: Status) -> web.Response:
    """Show one post and its answers."""
    statuses = [status, *sandbox.replies_to(status)]
    return _show(sandbox, status.account, [one for one in statuses if _is_public(one)])


def _show(
    sandbox: MastodonSandbox, account: Account, statuses: list[Status]
) -> web.Response:
    page = _PAGE.render(
        account=account,
        name=account.display_name or account.username,
        domain=sandbox.public_url.partition("://")[2],
        statuses=statuses,
        style=Markup(_STYLE),  # noqa: S704 - our own, written above
        content=lambda status: Markup(  # noqa: S704 - escaped where it is made
            content_html(sandbox, status.now.text)
        ),
        day=lambda at: f"{at:%-d %b %Y, %H:%M} UTC",
    )
    return web.Response(text=page, content_type="text/html", status=HTTPStatus.OK)


def _is_public(status: Status) -> bool:
    return status.visibility in {"public", "unlisted"}
