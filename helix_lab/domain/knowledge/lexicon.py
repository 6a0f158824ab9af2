"""Lexicon: the words by which the rules tell what kind of name they see.

English alone. Written from general knowledge; `data/NOTICE.md` names the lists that are not.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLES: Final = _words(
    """
    mr mrs ms miss dr prof professor sir dame lord lady president senator governor mayor judge
    justice captain coach chef uncle aunt aunty auntie grandma grandpa grandmother grandfather
    rev pastor father sister king queen prince princess saint detective officer
    """
)
"""Before a name of a person; not part of it."""

ORGANISATION_WORDS: Final = _words(
    """
    university college school academy institute inc corp corporation llc ltd gmbh plc company co
    bank hospital clinic foundation association committee agency department ministry council
    commission bureau society union club team studios studio records publishing publishers press
    group labs laboratories partners associates ventures capital holdings enterprises industries
    technologies solutions systems orchestra band choir church ministries fc united league
    federation alliance coalition network magazine times tribune gazette journal airlines motors
    bakery pharmacy shelter charity nonprofit insurance firm office warriors timberwolves wolves
    lakers celtics bulls bears eagles rangers giants yankees sox knights trust fund
    """
)

PLACE_WORDS: Final = _words(
    """
    park street st avenue ave road rd boulevard blvd lane drive lake river creek mountain mountains
    mount mt peak hill hills beach island islands isle bay valley canyon forest woods city county
    town village bridge square plaza airport station museum gallery theatre theater stadium arena
    library hall tower castle palace desert ocean sea gulf falls waterfall trail harbor harbour
    port coast cape garden gardens zoo aquarium hotel resort cafe café restaurant diner pub inn
    mall market district province territory highway route cathedral temple mosque shrine ruins
    center centre rainforest reef glacier volcano springs heights hollow grove ranch farm
    """
)

EVENT_WORDS: Final = _words(
    """
    festival conference championship championships cup olympics war marathon awards award summit
    expo tournament parade convention symposium hackathon gala fair carnival derby bowl series
    con fest revolution crisis pandemic depression
    """
)

PLACE_BEFORE: Final = _words(
    "in at to from near around across visit visited visiting toward towards outside throughout "
    "explore exploring explored leaving reach reached"
)

PERSON_BEFORE: Final = _words(
    """
    named called brother sister friend cousin son daughter wife husband boss colleague coworker
    co-worker partner mentor neighbor neighbour nephew niece uncle aunt mom dad mother father
    boyfriend girlfriend fiancé fiancée teacher coach dog cat pup puppy kitten roommate
    bestie buddy pal teammate supervisor manager colleagues ex grandma grandpa grandmother
    """
)

PERSON_AFTER: Final = _words(
    """
    said says told asked suggested recommended mentioned wants thinks thought loves loved likes
    helped helps invited agreed believes suggests recommends decided joined met gave offered
    shared sent knows knew wrote called texted and's
    """
)

NATIONALITIES: Final = _words(
    """
    american african asian european british english scottish irish welsh french german italian
    spanish portuguese dutch belgian swiss austrian swedish norwegian danish finnish polish czech
    russian ukrainian turkish greek chinese japanese korean vietnamese thai indian pakistani
    filipino indonesian malaysian australian canadian mexican brazilian argentine argentinian
    colombian chilean peruvian cuban caribbean jamaican egyptian moroccan nigerian kenyan ethiopian
    israeli arab arabic persian iranian iraqi saudi jewish muslim islamic christian catholic
    buddhist hindu latin latino latina hispanic hebrew mandarin cantonese hindi urdu bengali
    western eastern northern southern victorian gothic renaissance californian texan hawaiian
    montserratian antillean black white native indigenous western cajun
    """
)
"""Adjectives of origin, belief and language: no names by themselves."""

CALENDAR: Final = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri
    sat sun january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    """
)

NEVER: Final = _words(
    """
    mom dad mum mommy daddy mama papa grandma grandpa granny nana auntie god lord jesus heaven
    earth internet bye hey hi hello wow yay yep yup nope ok okay oh ooh aw aww awww ah haha hahaha
    lol omg btw idk imo tbh fyi asap diy faq id ids tv pm am ceo cto cfo coo vp hr pr qa dj mc pdf
    doc docs usd eur gbp mvp kpi kpis roi etc eg ie ps rip aka tldr nah yeah yes no congrats
    congratulations thanks thank thx welcome sorry please cheers kudos sounds glad hope wish
    awesome amazing fantastic wonderful absolutely definitely totally
    exactly sure maybe perhaps anyway anyways btw dude bro guys guy man buddy pal hun hon honey
    dear everyone everybody someone somebody anyone nobody something anything nothing everything
    step phase section chapter part table figure example note tip question answer option task
    sprint version morning evening night today tomorrow yesterday tonight
    monday-friday i'm i've i'd i'll let lets here there where what when why how who which this
    that these those it he she they we you i gonna wanna gotta kinda sorta guess bet
    true false null none todo fixme feel take keep look looking check make just also still even

    self-care self selfie
    covid ac dc rsvp eta tbd tba n/a gmt utc est pst bst pt q1 q2 q3 q4 h1 h2
    """
)
"""Words that are capital for many reasons and name nothing."""

STARTERS: Final = _words(
    """
    it's that's there's here's what's who's how's let's he's she's i'll we'll you'll don't can't
    didn't isn't wasn't won't doesn't couldn't wouldn't shouldn't haven't aren't hasn't so but and
    or if as at by for from in into of on onto over to up with without about after before since
    while because although though however moreover therefore thus hence besides finally lastly
    firstly secondly also then now once my your his her its our their the a an another any each
    every some many much most more less few all both either neither several such my me mine
    seems seeing being doing having going coming getting making taking talking thinking trying
    working playing loving looking feeling hearing reading writing running learning watching
    did do does done is are was were be been am have has had can could will would shall should
    may might must ever never always often sometimes usually recently lately actually honestly
    basically seriously apparently hopefully luckily unfortunately fortunately personally
    appreciate enjoy excited happy proud sad surprised interesting interested curious super such
    stay stick hang spend try got get go gone went come came give gave tell told ask asked say
    said see saw seen think thought know knew want wanted need needed find found use used using
    show showed help helped start started stop stopped call called meet met bring brought feels
    felt hear heard read write wrote play played run ran learn watch eat cook bake paint dance
    sing travel hike swim build create created design develop include including consider ensure
    implement review update add remove set given based regarding concerning despite during within
    overall additionally furthermore meanwhile instead otherwise plus minus per via vs not yet
    yikes whoa woah ouch oops hmm hm mmm uh um er gosh geez jeez hooray woohoo woo ugh phew
    fun funny crazy insane wild tough hard easy scary tasty delicious yummy gorgeous beautiful
    stunning pretty lovely incredible unbelievable inspiring impressive fascinating relaxing
    good bad best better favorite favourite first second third last next new old big small life love
    world home work time place day week month year great nice cool sweet kids friend friends family
    one two three four five six seven eight nine ten hundred thousand
    """
)
"""Words that often begin a sentence; with the common words of `names.txt`, no name there."""

TECHNICAL: Final = _words(
    """
    code coding api apis server servers database databases framework frameworks deploy deployed
    endpoint endpoints frontend backend bug debug compile compiler runtime repository repo commit
    scripts queries schema cluster pods programming programmer developer software devops ci/cd
    config configuration json sql http https html css localhost exception microservice
    microservices docker kubernetes linux plugin cache caching threads async authentication
    algorithm algorithms dataset unit-test unittest
    """
)
"""Words that tell a text about software."""

HALF_TECHNICAL: Final = _words(
    """
    app apps library libraries function functions query service services container containers
    package packages module modules script node nodes thread testing tests language languages
    deployment pipeline stack implementation website
    """
)
"""Words that tell it together with another one; `names.txt` has more of them."""

QUESTION_OPENERS: Final = _words("is has was uses runs supports vs provides does offers can had")
"""After a name that begins a sentence and is a word of English too: `Go is fast`."""

CONNECTORS: Final = _words("of the de van von der la le del da dos di & for and")
"""May stand within a name; never at its end."""
