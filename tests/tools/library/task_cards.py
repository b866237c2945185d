"""A library of 308 tools, and twelve tasks with the tools that a person would pick for them."""

from __future__ import annotations

from dataclasses import dataclass

from autoact.trajectory import Example, Question, Tool

GENERAL = """
WebSearch|Searches for pages about a question or some key words and shows the best few.
Retrieve|Opens the page with the given title and shows how it begins.
Lookup|Finds the next sentence with a key word on the page opened last.
Calculator|Works out an arithmetic expression, with powers, roots, percent, mod and factorials.
Image2Text|Describes an image in words and reads the text in it.
KnowledgeGraph|Tells the known facts about a thing, or how two things are related.
Database|Answers a read-only SQL question from the project's tables.
CodeInterpreter|Runs a short Python program and shows what it prints.
"""
AREAS = """
weather
  forecast: Tells the weather forecast of a city for the coming days.
  now: Tells temperature, wind and rain in a place at this moment.
  history: Tells how warm or wet a place was on a past day.
  alerts: Lists warnings of storms and floods for a region.
maps
  route: Finds the way between two places, with distance and driving time.
  geocode: Turns an address into latitude and longitude.
  nearby: Finds restaurants, shops or stations near a place.
  elevation: Tells the height above sea level of a point.
finance
  stock_price: Tells the price of a share on an exchange.
  exchange_rate: Converts an amount of money between two currencies.
  interest: Works out compound interest and loan payments.
  company_report: Opens the annual report of a listed company.
flights
  timetable: Lists flights between two airports on a day.
  status: Tells whether a flight is delayed and its gate.
  fares: Finds the cheapest ticket for a flight.
  airport: Tells code, city and runways of an airport.
recipes
  find_recipe: Finds dishes that can be cooked from given ingredients.
  nutrition: Tells calories, protein and fat of a food.
  substitute: Suggests what replaces an ingredient.
  scale: Adapts the amounts of a recipe to more guests.
medicine
  drug: Tells dose, side effects and interactions of a medicine.
  symptom: Lists conditions that fit given symptoms.
  trial: Finds clinical trials of a treatment.
  gene: Tells what a human gene does and the diseases linked to it.
chemistry
  compound: Tells formula, mass and melting point of a chemical compound.
  balance: Balances a chemical equation.
  element: Tells atomic number, weight and electrons of an element.
  reaction: Predicts the products of a reaction.
astronomy
  planet: Tells orbit, mass and moons of a planet.
  star_chart: Shows which stars and constellations are visible tonight.
  eclipse: Tells when the next eclipse of sun or moon is seen from a place.
  launch: Lists rocket launches and space missions.
calendar
  free_time: Finds when all people of a meeting are free.
  create_event: Puts an appointment into the calendar.
  holidays: Lists the public holidays of a country in a year.
  date_difference: Counts the days between two dates.
email
  send: Sends a message to an address.
  find_message: Searches the mailbox for messages from a sender.
  unsubscribe: Takes an address off a mailing list.
  draft_reply: Writes an answer to a message.
music
  lyrics: Finds the words of a song.
  album: Lists the tracks and release year of an album.
  artist: Tells the members and records of a band.
  chords: Shows how to play a song on the guitar.
films
  cast: Lists the actors and director of a film.
  showtimes: Tells when a film runs in cinemas nearby.
  rating: Tells how critics and viewers rated a film.
  quote: Finds which film a line comes from.
books
  isbn: Finds a book by its number or title, with author and publisher.
  review: Shows what readers say of a novel.
  library_copy: Tells which library has a copy to lend.
  passage: Finds a passage in a classic text.
sport
  score: Tells the result of a match.
  table: Shows the league standings.
  player: Tells goals, club and age of a player.
  fixture: Tells when two teams meet next.
law
  statute: Opens the text of a law or article.
  case: Finds a court judgment.
  patent: Finds inventions registered by an applicant.
  trademark: Tells whether a brand name is taken.
language
  translate: Translates a text into another language.
  define_word: Tells the meaning and origin of a word.
  synonym: Lists words with the same sense.
  grammar: Corrects spelling and grammar of a sentence.
images
  detect_objects: Finds and counts things in a photo.
  draw: Paints a picture from a description.
  remove_background: Cuts the person out of a photo.
  compare_faces: Tells whether two portraits show the same person.
audio
  transcribe: Writes down what is said in a recording.
  speak: Reads a text aloud.
  identify_song: Recognises music from a few seconds of sound.
  noise: Removes hiss from a recording.
files
  read_file: Shows the content of a file.
  find_file: Finds files by a pattern in their names.
  convert_document: Turns a document into PDF.
  compress: Packs a folder into an archive.
git
  log: Shows the commits of a repository.
  blame: Tells who changed a line of code last.
  diff: Shows what changed between two commits.
  open_issue: Files a bug report in a tracker.
math
  integrate: Finds the integral or derivative of a function.
  solve: Solves an equation for an unknown.
  factor: Splits a whole number into primes.
  statistics: Tells mean, median and deviation of numbers.
units
  convert_unit: Converts lengths, weights and temperatures between units.
  time_zone: Tells what time it is in another city.
  currency_symbol: Tells the sign and code of a currency.
  roman: Converts numbers to Roman numerals.
biology
  species: Tells the family, habitat and diet of an animal or plant.
  protein: Shows sequence and structure of a protein.
  bird_call: Recognises a bird from its song.
  taxonomy: Tells kingdom, order and genus of an organism.
history
  timeline: Lists what happened in a year or century.
  battle: Tells date, sides and outcome of a battle.
  ruler: Lists the monarchs and presidents of a country.
  artefact: Describes an object in a museum's collection.
tables
  read_table: Turns rows of a spreadsheet into sentences.
  pivot: Groups rows and sums a column.
  plot: Draws a chart of two columns.
  clean: Fills in missing cells.
"""
CHORES = """
list_{0}s|Lists what is saved under {0} for this account.
add_{0}|Saves a new entry for {0}.
remove_{0}|Deletes an entry of {0} for good.
share_{0}|Sends a link to a {0} entry to a colleague.
export_{0}|Writes all {0} entries to a file.
count_{0}|Tells how many {0} entries were made this week.
remind_{0}|Sets a reminder about {0}.
settings_{0}|Changes the account's preferences for {0}.
"""


@dataclass(frozen=True, slots=True)
class TaskCard:
    """A task as a person writes it, and what they would pick."""

    task: str
    questions: tuple[str, ...]
    tools: frozenset[str]

    @property
    def examples(self) -> tuple[Example, ...]:
        return tuple(Example(Question(f"c-{at}", text)) for at, text in enumerate(self.questions))


def library() -> list[Tool]:
    """General tools, four of each area, and the chores that every area has."""
    told = [tuple(line.split("|")) for line in GENERAL.strip().splitlines()]
    area = ""
    for line in AREAS.strip().splitlines():
        if line.startswith("  "):
            name, _, text = line.strip().partition(": ")
            told.append((f"{area}.{name}", text))
            continue
        area = line
        told += [(f"{area}.{name.format(area)}", text.format(area))
                 for name, text in (chore.split("|") for chore in CHORES.strip().splitlines())]  # fmt: skip
    return [Tool(name, definition, f"{name}[x]") for name, definition in told]


def card(task: str, questions: str, tools: str) -> TaskCard:
    return TaskCard(task, tuple(questions.split("|")), frozenset(tools.split()))


CARDS = (
    card("Answer questions that need facts from two encyclopedia pages.",
         "Who directed the film that won Best Picture in 1994?|In which city was the author of Dracula born?",
         "WebSearch Retrieve Lookup"),
    card("Solve word problems from primary school.",
         "Tom has 12 apples and buys 3 bags of 7. How many apples has he now?|What is 15% of 240?",
         "Calculator"),
    card("Answer science questions about pictures.",
         "Which animal is shown in the picture?|What is written on the label in this photo?",
         "Image2Text images.detect_objects"),
    card("Plan outings with regard to the weather.",
         "Will it rain in Oslo tomorrow?|Is it warm enough to swim in Nice now?",
         "weather.forecast weather.now"),
    card("Help travellers get from one place to another.",
         "How long does it take to drive from Lyon to Turin?|Which flights leave Rome for Athens on Friday?",
         "maps.route flights.timetable"),
    card("Answer questions about money in different countries.",
         "How many yen are 50 euros?|What does a loan of 9000 at 4% cost each month?",
         "finance.exchange_rate finance.interest"),
    card("Answer pupils' chemistry homework.",
         "Balance the equation Fe + O2 -> Fe2O3.|What is the melting point of sodium chloride?",
         "chemistry.balance chemistry.compound"),
    card("Help cooks with what they have at home.",
         "What can I cook with eggs and spinach?|What can I use instead of butter?|How many calories has an avocado?",
         "recipes.find_recipe recipes.substitute recipes.nutrition"),
    card("Answer questions of football fans.",
         "What was the result of the match Ajax against PSV?|Which club leads the league?",
         "sport.score sport.table"),
    card("Help people read foreign texts.",
         "What does 'Guten Morgen' mean in Spanish?|Where does the word 'window' come from?",
         "language.translate language.define_word"),
    card("Answer questions about a code repository.",
         "Who changed line 40 of main.c last?|What changed between the last two commits?",
         "git.blame git.diff"),
    card("Answer questions about the company's sales tables.",
         "What were the total sales in March by region?|Which rows of the spreadsheet have no customer?",
         "Database tables.pivot"),
)  # fmt: skip
