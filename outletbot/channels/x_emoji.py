"""Which emoji X takes for one, however many code points they are.

Facts: Unicode's emoji data (emoji-variation-sequences, Emoji_Modifier_Base, emoji
sequences) as far as X's own counter knows them (twitter-text 3.1.0); what it does not
know it counts in parts, and so do we.
"""

COUNTRIES = (
    "ac|ad|ae|af|ag|ai|al|am|ao|aq|ar|as|at|au|aw|ax|az|ba|bb|bd|be|bf|bg|bh|bi|bj"
    "|bl|bm|bn|bo|bq|br|bs|bt|bv|bw|by|bz|ca|cc|cd|cf|cg|ch|ci|ck|cl|cm|cn|co|cr|cu"
    "|cv|cw|cx|cy|cz|de|dj|dk|dm|do|dz|ec|ee|eg|eh|er|es|et|eu|fi|fj|fk|fm|fo|fr|ga"
    "|gb|gd|ge|gf|gg|gh|gi|gl|gm|gn|gp|gq|gr|gs|gt|gu|gw|gy|hk|hm|hn|hr|ht|hu|id|ie"
    "|il|im|in|io|iq|ir|is|it|je|jm|jo|jp|ke|kg|kh|ki|km|kn|kp|kr|kw|ky|kz|la|lb|lc"
    "|li|lk|lr|ls|lt|lu|lv|ly|ma|mc|md|me|mf|mg|mh|mk|ml|mm|mn|mo|mp|mq|mr|ms|mt|mu"
    "|mv|mw|mx|my|mz|na|nc|ne|nf|ng|ni|nl|no|np|nr|nu|nz|om|pa|pe|pf|pg|ph|pk|pl|pm"
    "|pn|pr|ps|pt|pw|py|qa|re|ro|rs|ru|rw|sa|sb|sc|sd|se|sg|sh|si|sj|sk|sl|sm|sn|so"
    "|sr|ss|st|sv|sx|sy|sz|tc|td|tf|tg|th|tj|tk|tl|tm|tn|to|tr|tt|tv|tw|tz|ua|ug|um"
    "|us|uy|uz|va|vc|ve|vg|vi|vn|vu|wf|ws|ye|yt|za|zm|zw"
)
"""The countries that have both a flag and a top-level domain (ISO 3166)."""

_TONES = "[\U0001f3fb-\U0001f3ff]"
_JOINED = "\u200d"
_SHOWN = "\ufe0f"

# Plain signs that become pictures when asked to.
_SIGNS = (
    "©®‼⁉™\u2139↔-↙↩↪⌚⌛⌨⏏⏭-⏯⏱⏲⏸-⏺Ⓜ▪▫▶◀◻-◾☀-☄"
    "☎☑☔☕☘☝☠☢☣☦☪☮☯☸-☺♀♂♈-♓♟♠♣♥♦♨♻♿⚒-⚗⚙"
    "⚛⚜⚠⚡⚪⚫⚰⚱⚽⚾⛄⛅⛈⛏⛑⛓⛔⛩⛪⛰-⛵⛷-⛺⛽✂✈✉✌✍✏✒✔"
    "✖✝✡✳✴❄❇❗❣❤➡⤴⤵⬅-⬇⬛⬜⭐⭕〰〽㊗㊙🀄🅰🅱🅾🅿🈂🈚🈯🈷🌡"
    "🌤-🌬🌶🍽🎖🎗🎙-🎛🎞🎟🏋-🏎🏔-🏟🏳🏵🏷🐿👁📽🕉🕊🕯🕰🕳-🕹🖇"
    "🖊-🖍🖐🖥🖨🖱🖲🖼🗂-🗄🗑-🗓🗜-🗞🗡🗣🗨🗯🗳🗺🛋🛍-🛏🛠-🛥🛩🛰🛳"
)
# Hands, faces and people that have a skin.
_SKINNED = (
    "☝⛷⛹✊-✍🎅🏂-🏄🏇🏊-🏌👂👃👆-👐👦-👩👮👰-👸👼💁-💃💅-💇💪"
    "🕴🕵🕺🖐🖕🖖🙅-🙇🙋-🙏🚣🚴-🚶🛀🛌🤘-🤜🤞🤟🤦🤰-🤹🤽🤾🦵🦶🦸🦹"
    "🧑-🧝"
)
_GENDERED = "🏃🏄🏊👮👱👳👷💁💂💆💇🙅-🙇🙋🙍🙎🚣🚴-🚶🤦🤵🤷-🤹🤽🤾🦸🦹🧖-🧝"
_SPORTING = "🏋🏌🕴🕵⛹"
_CROWDS = "👯🤼🧞🧟"
_TRADES = "🌾🍳🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒"
_SIGNED_TRADES = "⚕⚖✈"
_PARENTS = f"(?:👨{_JOINED}[👨👩]|👩{_JOINED}👩|[👨👩])"
_CHILDREN = f"(?:👧{_JOINED}[👦👧]|👦{_JOINED}👦|[👦👧])"


def _flags() -> str:
    """Return a pattern of the flags of all countries: each is two letters."""
    halves = {chr(97 + at): chr(0x1F1E6 + at) for at in range(26)}
    return "|".join(
        "".join(halves[letter] for letter in code) for code in COUNTRIES.split("|")
    )


EMOJI = "|".join(
    (
        f"[👨👩]{_TONES}?{_JOINED}(?:[{_SIGNED_TRADES}]{_SHOWN}|[{_TRADES}])",
        f"[{_SPORTING}](?:{_TONES}|{_SHOWN}){_JOINED}[♀♂]{_SHOWN}",
        f"[{_GENDERED}]{_TONES}?{_JOINED}[♀♂]{_SHOWN}",
        f"[{_CROWDS}]{_JOINED}[♀♂]{_SHOWN}",
        f"👨{_JOINED}❤{_SHOWN}{_JOINED}(?:💋{_JOINED})?👨",
        f"👩{_JOINED}❤{_SHOWN}{_JOINED}(?:💋{_JOINED})?[👨👩]",
        f"{_PARENTS}{_JOINED}{_CHILDREN}",
        f"🏳{_SHOWN}{_JOINED}🌈",
        f"🏴{_JOINED}☠{_SHOWN}",
        f"(?:(?<!\\S)|(?<=\u20e3))[#*0-9]{_SHOWN}?\u20e3",
        f"[{_SKINNED}]{_TONES}",
        f"[{_SIGNS}]{_SHOWN}",
        _flags(),
    )
)
"""A pattern of all that is more than one code point and counts as one emoji."""
