"""Lexicon: the words of English that tell a statement from its wrapping.

The stop words are the usual English ones; the fillers are what people say to be polite or
lively. All of it is for English only: other languages are taken by whole sentences.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP = _words(
    """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself
    she her hers herself it its itself they them their theirs themselves what which who whom
    this that these those am is are was were be been being have has had having do does did doing
    a an the and but if or because as until while of at by for with about against between into
    through during before after above below to from up down in out on off over under again
    further then once here there when where why how all any both each few more most other some
    such only own same so than too very s t can will just should now d ll m re ve could would
    also may might must shall i'm i've i'd i'll you're you've you'd you'll he's she's it's it'll
    it'd we're we've we'd we'll they're they've they'd they'll that's that'll there's what's
    who's here's let's how's where's when's he'd she'd he'll she'll im ive us
    """
)

FILLER = _words(
    """
    really awesome amazing great good nice cool wow yeah yes yep yup hey hi hello thanks thank
    glad happy love loved loving lovely wonderful fantastic excited exciting sure definitely
    absolutely totally pretty lot lots kind kinda sort thing things something anything
    everything stuff way ways bit get gets getting got make makes making made go goes know think
    feel feels feeling felt like looks look looking see seeing sounds sound hear hearing heard
    well oh ok okay haha lol right actually even still always much many keep keeping say says
    said tell telling let want wanted hope hoping care take taking took taken give gives giving
    come comes came super perfect congrats congratulations bye later please sorry guess maybe
    another every great- important truly special interesting fun enjoy enjoyed enjoying hard
    helps help helped nothing wait course would've gotta gonna wanna going put bring brings
    brought quite photo picture pic image
    """
)

NEGATIONS = _words(
    """
    not no never none nobody cannot neither nor without dont doesnt didnt cant wont isnt wasnt
    arent werent couldnt wouldnt shouldnt hasnt havent hadnt nothing nowhere
    """
)

FIRST_PERSON = _words(
    """
    i my we our me us i'm i've i'd i'll we're we've we'd we'll im ive mine ours
    """
)
SECOND_PERSON = _words(
    """
    you your you're you've you'd you'll yours
    """
)

MONTHS = _words(
    """
    january february march april may june july august september october november december jan
    feb mar apr jun jul aug sep sept oct nov dec
    """
)
TIME = _words(
    """
    yesterday today tonight tomorrow monday tuesday wednesday thursday friday saturday sunday
    week weeks weekend weekends month months year years ago last next day days summer winter
    spring fall autumn morning evening afternoon night january february march april june july
    august september october november december recently since daily weekly monthly yearly annual
    hour hours minute minutes deadline
    """
)
NUMBERS = _words(
    """
    one two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty
    thirty forty fifty hundred thousand million billion dozen half twice first second third
    fourth fifth once couple several double triple
    """
)
UNITS = _words(
    """
    am pm a.m a.m. p.m p.m. o'clock utc gmt cet cest est edt pst pdt
    percent % ‰ hundred thousand million billion dozen k
    kg g mg lb lbs oz km cm mm m ft feet inch inches mile miles l ml kb mb gb tb mbps gbps
    w kw kwh v hz khz mhz ghz km/h mph ° °c °f degrees celsius fahrenheit
    ms s sec seconds minutes minute min hours hour hrs days day weeks week months month years year
    $ € £ ¥ usd eur gbp dollar dollars euro euros cent cents pound pounds point points
    """
)
PREFIXES = _words("$ € £ ¥ usd eur gbp < > ≤ ≥ <= >= ~ ≈ ± = !=")
LINKS = _words("to till until through of x × * / + - – — ^ =")
DECISION = _words(
    """
    decided decide decides deciding decision agreed agree agreement chose chosen choose choosing
    plan plans planned planning going gonna will i'll we'll let's must need needs should settled
    settle switch switched switching adopt adopted approved approve committed intend commit
    prefer scheduled schedule
    """
)
RESOLUTION = _words(
    """
    decided decide decision agreed agree chose chosen choose settled settle adopt adopted
    approved approve committed commit switched let's plan plans planned planning
    """
)
ABBREVIATIONS = _words(
    """
    dr. mr. mrs. ms. prof. st. vs. e.g. i.e. etc. approx. no. jr. sr. fig. vol. pp. ca.
    jan. feb. apr. jun. jul. aug. sept. oct. nov. dec.
    """
)
