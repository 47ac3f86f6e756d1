"""The General MIDI programs that the quickstart's model hears, with words about each of them.

Programs and their order are those of General MIDI 1 (0-based here). Left out: sound effects and
percussion without pitch (112-127), synthetic leads, pads and effects (80-103), synthesised
stand-ins for programs that are here anyway, and the orchestra hit. The descriptions are our own
words; the 14 instruments of TinySOL have more, as definitions of them are prompts of the paper.
"""

from typing import Literal, NamedTuple

Articulation = Literal["sustained", "plucked", "struck"]


class GmInstrument(NamedTuple):
    """A General MIDI program.

    Attributes:
        names: the usual name first, then others that mean the same sound.
        family: one of the keys of `FAMILIES`.
        articulation: what the sound does after its onset.
        low: lowest MIDI note that is rendered.
        high: highest MIDI note that is rendered.
        description: phrases; those of TinySOL's instruments contain no word of their names.
    """

    names: tuple[str, ...]
    family: str
    articulation: Articulation
    low: int
    high: int
    description: tuple[str, ...]

    @property
    def family_words(self) -> tuple[str, ...]:
        """Words for the family in captions."""
        return FAMILIES[self.family]


FAMILIES = {
    "keyboard": ("keyboard", "key"),
    "mallet": ("mallet", "percussion"),
    "organ": ("organ", "keyboard", "key"),
    "free reed": ("free reed", "reed"),
    "guitar": ("guitar", "plucked string", "string"),
    "bass guitar": ("bass guitar", "plucked string", "string"),
    "bowed string": ("bowed string", "string"),
    "plucked string": ("plucked string", "string"),
    "ensemble": ("ensemble", "group"),
    "brass": ("brass", "wind"),
    "woodwind": ("woodwind", "wind", "reed"),
    "flute": ("woodwind", "wind", "flute"),
    "percussion": ("percussion", "drum"),
}

_STRUNG_FIRST = "a bowed string instrument of the orchestra"
_VALVES = "the player buzzes the lips into a cup mouthpiece"


def _gm(
    names: str, family: str, articulation: Articulation, low: int, high: int, *description: str
) -> GmInstrument:
    return GmInstrument(tuple(names.split("|")), family, articulation, low, high, description)


#: By program number.
INSTRUMENTS: dict[int, GmInstrument] = {
    0: _gm("piano|grand piano|acoustic piano", "keyboard", "struck", 30, 96,
           "felt hammers strike steel strings when keys are pressed",
           "a large wooden case with black and white keys"),
    1: _gm("bright piano", "keyboard", "struck", 30, 96,
           "hammers strike strings with a hard, clear tone", "keys and steel strings"),
    3: _gm("honky tonk piano|saloon piano", "keyboard", "struck", 30, 96,
           "hammered strings that are slightly out of tune with one another"),
    4: _gm("electric piano|rhodes", "keyboard", "struck", 30, 96,
           "hammers hit metal tines and pickups amplify them", "a mellow bell like keyboard"),
    5: _gm("fm piano|digital piano", "keyboard", "struck", 30, 96,
           "a glassy electronic keyboard with a bell like attack"),
    6: _gm("harpsichord", "keyboard", "plucked", 36, 88,
           "quills pluck thin metal strings when keys are pressed", "a baroque keyboard"),
    7: _gm("clavinet", "keyboard", "plucked", 36, 88,
           "an electric keyboard that presses strings onto an anvil", "a percussive funky tone"),
    8: _gm("celesta", "mallet", "struck", 60, 100,
           "hammers strike small steel plates", "a delicate bell like keyboard"),
    9: _gm("glockenspiel", "mallet", "struck", 72, 105,
           "small metal bars struck with hard mallets", "a very high bright bell tone"),
    10: _gm("music box", "mallet", "plucked", 60, 100,
            "pins on a turning cylinder pluck a metal comb", "a small wind up mechanism"),
    11: _gm("vibraphone", "mallet", "struck", 53, 89,
            "metal bars over tubes with turning fans", "struck with yarn mallets and a pedal"),
    12: _gm("marimba", "mallet", "struck", 45, 96,
            "wooden bars struck with soft mallets", "deep warm resonating tubes"),
    13: _gm("xylophone", "mallet", "struck", 65, 105,
            "hard wooden bars struck with hard mallets", "a short dry bright tone"),
    14: _gm("tubular bells|chimes", "mallet", "struck", 60, 84,
            "long hanging metal tubes struck with a hammer", "like church bells"),
    15: _gm("dulcimer", "mallet", "struck", 55, 88,
            "strings over a flat box struck with light hammers"),
    16: _gm("drawbar organ|hammond organ", "organ", "sustained", 36, 96,
            "an electric keyboard with rotating wheels and drawbars"),
    17: _gm("percussive organ", "organ", "sustained", 36, 96,
            "an electric keyboard whose tones begin with a click"),
    18: _gm("rock organ", "organ", "sustained", 36, 96,
            "an overdriven electric keyboard with a rotating speaker"),
    19: _gm("church organ|pipe organ", "organ", "sustained", 36, 96,
            "air blown through large pipes by a keyboard", "a powerful sound in a church"),
    20: _gm("reed organ|harmonium", "organ", "sustained", 36, 96,
            "pumped air makes free metal reeds sound by a keyboard"),
    21: _gm("accordion|piano accordion", "free reed", "sustained", 28, 109,
            "a portable box with bellows that are squeezed and pulled",
            "air from the bellows makes free metal reeds vibrate",
            "the player presses keys and buttons while moving the bellows",
            "worn in front of the chest with straps",
            "heard in folk music, tango and dance", "a free reed aerophone with a keyboard",
            "a bright reedy steady tone"),
    22: _gm("harmonica|mouth organ", "free reed", "sustained", 60, 96,
            "a small metal reed instrument blown and drawn with the mouth", "heard in blues"),
    23: _gm("bandoneon|tango accordion", "free reed", "sustained", 41, 89,
            "a square bellows instrument with buttons", "free reeds, heard in tango"),
    24: _gm("classical guitar|nylon guitar", "guitar", "plucked", 40, 84,
            "six nylon strings plucked with the fingers", "a wooden body with a round hole"),
    25: _gm("acoustic guitar|steel guitar", "guitar", "plucked", 40, 84,
            "six steel strings strummed or picked", "a wooden body with a round hole"),
    26: _gm("jazz guitar", "guitar", "plucked", 40, 84,
            "a hollow body with pickups and a warm round tone"),
    27: _gm("electric guitar|clean guitar", "guitar", "plucked", 40, 84,
            "steel strings over magnetic pickups and a clean amplifier"),
    28: _gm("muted guitar", "guitar", "plucked", 40, 84,
            "strings damped with the palm of the hand", "short and dry"),
    29: _gm("overdriven guitar", "guitar", "plucked", 40, 84,
            "steel strings through a loud amplifier", "heard in rock"),
    30: _gm("distorted guitar|distortion guitar", "guitar", "plucked", 40, 84,
            "a heavily clipped amplifier with long sustain", "heard in metal and rock"),
    31: _gm("guitar harmonics", "guitar", "plucked", 52, 88,
            "strings touched lightly so that they ring like flageolets"),
    32: _gm("acoustic bass|upright bass", "bass guitar", "plucked", 28, 60,
            "thick strings of a large wooden body plucked with the fingers", "heard in jazz"),
    33: _gm("electric bass|bass guitar", "bass guitar", "plucked", 28, 60,
            "four thick strings over magnetic pickups plucked with the fingers"),
    34: _gm("picked bass", "bass guitar", "plucked", 28, 60,
            "four thick strings over magnetic pickups played with a pick"),
    35: _gm("fretless bass", "bass guitar", "plucked", 28, 60,
            "a smooth neck without frets and a singing low tone"),
    36: _gm("slap bass", "bass guitar", "plucked", 28, 60,
            "thick strings slapped with the thumb", "heard in funk"),
    37: _gm("popped bass", "bass guitar", "plucked", 28, 60,
            "thick strings pulled so that they snap against the frets"),
    40: _gm("violin", "bowed string", "sustained", 55, 100,
            "the smallest and highest " + _STRUNG_FIRST[len("a "):],
            "four strings tuned in fifths and played with a horsehair bow",
            "held under the chin and on the shoulder", "a hollow wooden body with f holes",
            "a bright singing soprano tone", "a bowed chordophone", "made of spruce and maple"),
    41: _gm("viola", "bowed string", "sustained", 48, 96,
            _STRUNG_FIRST + " of middle size", "held under the chin and on the shoulder",
            "four strings a fifth lower, played with a horsehair bow",
            "a dark warm alto tone", "a hollow wooden body, slightly larger",
            "a bowed chordophone"),
    42: _gm("cello|violoncello", "bowed string", "sustained", 36, 84,
            _STRUNG_FIRST + ", large and low", "held between the knees of a seated player",
            "it stands on the floor on a metal spike", "four strings played with a horsehair bow",
            "a rich warm tenor and bass tone", "a bowed chordophone with a hollow wooden body"),
    43: _gm("contrabass|double bass", "bowed string", "sustained", 28, 72,
            "the largest and lowest " + _STRUNG_FIRST[len("a "):],
            "the player stands or sits on a high stool", "four thick strings tuned in fourths",
            "played with a bow or plucked with the fingers", "a deep dark low tone",
            "a tall hollow wooden body", "a bowed chordophone"),
    44: _gm("tremolo strings", "ensemble", "sustained", 40, 90,
            "many bowed players who move the bow quickly back and forth"),
    45: _gm("pizzicato strings|pizzicato", "ensemble", "plucked", 40, 90,
            "bowed instruments plucked with the finger", "short and dry"),
    46: _gm("harp", "plucked string", "plucked", 30, 100,
            "many strings in a tall frame plucked with the fingers", "a triangular frame"),
    47: _gm("timpani|kettledrum", "percussion", "struck", 36, 57,
            "a skin over a copper bowl struck with felt sticks", "tuned with a pedal"),
    48: _gm("string ensemble|string orchestra", "ensemble", "sustained", 36, 96,
            "many bowed players together", "a broad warm orchestra"),
    49: _gm("slow strings", "ensemble", "sustained", 36, 96,
            "many bowed players with a slow gentle onset"),
    52: _gm("choir|voices", "ensemble", "sustained", 48, 84,
            "many people who sing a long vowel", "human voices"),
    53: _gm("voice|singer", "ensemble", "sustained", 48, 84,
            "people who sing ooh", "human voices"),
    56: _gm("trumpet|trumpet in c", "brass", "sustained", 54, 86,
            "the highest of the brass with three valves",
            _VALVES, "a narrow brass tube bent twice, with a flared bell",
            "a bright brilliant piercing tone", "fanfares, orchestra and jazz", "a lip aerophone"),
    57: _gm("trombone", "brass", "sustained", 34, 72,
            "a long slide changes the length of the tube", _VALVES,
            "a brass tube of tenor range with a flared bell", "a full noble powerful tone",
            "the player moves a slide with the right arm", "a lip aerophone"),
    58: _gm("tuba|bass tuba", "brass", "sustained", 30, 65,
            "the largest and lowest of the brass", _VALVES + " of large size",
            "a wide conical brass tube with valves", "the bell points upwards",
            "a deep round heavy tone", "a lip aerophone, the foundation of the brass section"),
    59: _gm("muted trumpet", "brass", "sustained", 54, 86,
            "a cone in the bell makes a thin nasal metallic tone", "heard in jazz"),
    60: _gm("french horn|horn", "brass", "sustained", 31, 77,
            "a long coiled conical brass tube with a wide flared bell",
            "rotary valves pressed with the left hand", "the right hand is held inside the bell",
            "a mellow round distant tone", "it came from hunting", "a lip aerophone"),
    61: _gm("brass section|brass ensemble", "brass", "sustained", 40, 86,
            "several brass players together", "a powerful bright chord"),
    64: _gm("soprano saxophone|soprano sax", "woodwind", "sustained", 56, 88,
            "a straight conical metal tube with a single reed", "heard in jazz"),
    65: _gm("alto saxophone|alto sax|saxophone", "woodwind", "sustained", 49, 81,
            "a curved conical brass tube with keys", "a single reed on a mouthpiece",
            "a woodwind made of metal", "heard in jazz bands and wind bands",
            "a warm expressive tone of middle range",
            "a single reed aerophone, invented in belgium"),
    66: _gm("tenor saxophone|tenor sax", "woodwind", "sustained", 44, 76,
            "a large curved conical metal tube with a single reed", "a husky tone, heard in jazz"),
    67: _gm("baritone saxophone|baritone sax", "woodwind", "sustained", 36, 69,
            "a very large curved metal tube with a single reed", "a deep rough tone"),
    68: _gm("oboe", "woodwind", "sustained", 58, 93,
            "a double reed of cane between the lips", "a slender conical wooden tube with keys",
            "a clear nasal penetrating tone", "it gives the tuning note to the orchestra",
            "a soprano woodwind", "a double reed aerophone"),
    69: _gm("english horn|cor anglais", "woodwind", "sustained", 52, 81,
            "a double reed and a pear shaped bell", "a plaintive alto tone"),
    70: _gm("bassoon", "woodwind", "sustained", 34, 75,
            "a double reed on a curved metal crook", "a long folded wooden tube with many keys",
            "the bass of the woodwinds", "a dark dry reedy tone",
            "a low double reed aerophone", "the long body is held across the player"),
    71: _gm("clarinet|clarinet in b-flat|clarinet in bb", "woodwind", "sustained", 50, 91,
            "a single reed tied to a mouthpiece", "a straight cylindrical wooden tube with keys",
            "made of black wood", "a smooth hollow liquid tone with a wide range",
            "a single reed aerophone", "heard in orchestras, klezmer and jazz"),
    72: _gm("piccolo", "flute", "sustained", 74, 105,
            "a very small pipe held sideways", "a very high shrill tone"),
    73: _gm("flute|transverse flute", "flute", "sustained", 59, 98,
            "the player blows across a hole in a tube", "a metal tube held sideways, with keys",
            "a woodwind without a reed", "a pure airy breathy silvery tone",
            "an edge blown aerophone", "made of silver, a soprano of the orchestra"),
    74: _gm("recorder", "flute", "sustained", 60, 98,
            "a wooden pipe with a whistle mouthpiece and finger holes", "played in schools"),
    75: _gm("pan flute|panpipes", "flute", "sustained", 60, 98,
            "a row of tubes closed at the bottom and blown across the top"),
    76: _gm("blown bottle", "flute", "sustained", 55, 90,
            "air blown over the neck of a glass vessel", "a very breathy tone"),
    77: _gm("shakuhachi", "flute", "sustained", 55, 90,
            "a bamboo pipe from japan blown at its end", "a breathy wavering tone"),
    78: _gm("whistle|tin whistle", "flute", "sustained", 67, 98,
            "a clear tone without overtones, as with the lips"),
    79: _gm("ocarina", "flute", "sustained", 60, 91,
            "a small egg shaped clay vessel with finger holes", "a pure dull tone"),
    104: _gm("sitar", "plucked string", "plucked", 45, 84,
             "a long necked lute from india with buzzing strings"),
    105: _gm("banjo", "plucked string", "plucked", 48, 84,
             "strings over a drum skin", "heard in bluegrass"),
    106: _gm("shamisen", "plucked string", "plucked", 45, 84,
             "three strings over a skin, struck with a large pick, from japan"),
    107: _gm("koto", "plucked string", "plucked", 45, 91,
             "many strings over a long wooden board, from japan"),
    108: _gm("kalimba|thumb piano", "mallet", "plucked", 55, 91,
             "metal tongues on a wooden box plucked with the thumbs"),
    109: _gm("bagpipe|bagpipes", "woodwind", "sustained", 55, 84,
             "a bag of air under the arm feeds several reeds", "a steady drone, from scotland"),
    111: _gm("shawm|shanai", "woodwind", "sustained", 55, 84,
             "a loud conical double reed pipe of the open air"),
}  # fmt: skip
