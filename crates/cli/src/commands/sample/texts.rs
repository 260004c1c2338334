/// A made-up show.
#[derive(Clone, Copy)]
pub struct Show {
    pub title: &'static str,
    pub slug: &'static str,
    pub lead: &'static str,
    pub about: &'static str,
}

/// What a campaign says in one language; `{show}` stands for the show's title.
pub struct Language {
    /// First part of the web address.
    pub path: &'static str,
    pub shows: &'static [Show],
    pub titles: &'static [&'static str],
    pub closings: &'static [&'static str],
}

const fn show(title: &'static str, slug: &'static str, lead: &'static str, about: &'static str) -> Show {
    Show {
        title,
        slug,
        lead,
        about,
    }
}

pub const SWEDISH: Language = Language {
    path: "serier",
    shows: &[
        show(
            "Fyren på Hallands ö",
            "fyren-pa-hallands-o",
            "Kriminaldrama från skärgården.",
            "En fyrvaktare hittar en tom båt, och hela ön börjar ljuga.",
        ),
        show(
            "Köket i Kiruna",
            "koket-i-kiruna",
            "Matserie norr om polcirkeln.",
            "Fyra kockar, ett trångt kök och råvaror som ligger under snön.",
        ),
        show(
            "Sena kvällar med Åsa",
            "sena-kvallar-med-asa",
            "Talkshow med gäster och musik.",
            "Åsa Lindqvist bjuder in veckans gäster till samtal utan manus.",
        ),
        show(
            "Bortalaget",
            "bortalaget",
            "Fotbollsdokumentär i sex delar.",
            "Vi följer ett lag i division tre som aldrig vunnit på bortaplan.",
        ),
        show(
            "Ångermanlands änglar",
            "angermanlands-anglar",
            "Varm komediserie om en kör.",
            "När kyrkan säljs måste kören hitta en ny scen, och en ny tenor.",
        ),
        show(
            "Spårlöst söderut",
            "sparlost-soderut",
            "Spänning på nattåget till Malmö.",
            "En resenär stiger på i Östersund men kommer aldrig fram.",
        ),
        show(
            "Huset vid Vättern",
            "huset-vid-vattern",
            "Renovering med hela familjen.",
            "Familjen Öberg har ett år på sig att rädda ett hus från 1870.",
        ),
        show(
            "Istid",
            "istid",
            "Hockeyns hjältar berättar.",
            "Spelarna om matcherna som gjorde dem, och om dem de helst glömmer.",
        ),
        show(
            "Lilla Älgen och månen",
            "lilla-algen-och-manen",
            "Tecknat för de minsta.",
            "Lilla Älgen vill veta vart månen går när det blir dag.",
        ),
    ],
    titles: &[
        "Nytt avsnitt: {show}",
        "Missa inte {show} i kväll",
        "{show} är tillbaka",
        "Premiär: {show}",
        "Sista chansen att se {show}",
        "Hela säsongen av {show} är här",
        "Direkt i kväll: {show}",
        "Tips för helgen: {show}",
    ],
    closings: &[
        "Se hela avsnittet när du vill, i mobilen eller på tv:n.",
        "Alla tidigare säsonger finns också att streama.",
        "Ladda ner avsnittet innan du reser.",
        "Som abonnent ser du det redan i dag, utan reklam.",
        "Lägg till {show} i din lista, så säger vi till om nästa avsnitt.",
    ],
};

pub const ENGLISH: Language = Language {
    path: "en/series",
    shows: &[
        show(
            "The Salt Road",
            "the-salt-road",
            "A slow-burning western by the sea.",
            "Two sisters drive a wagon of salt through a county that wants them gone.",
        ),
        show(
            "Half Past Orbit",
            "half-past-orbit",
            "A comedy at zero gravity.",
            "Six people run a snack bar on a space station nobody visits twice.",
        ),
        show(
            "Cold Harbour",
            "cold-harbour",
            "Crime drama from the docks.",
            "Inspector Reyes knows who did it; the town would rather she did not.",
        ),
        show(
            "The Understudies",
            "the-understudies",
            "Backstage, everything is a scene.",
            "A travelling theatre loses its star and finds three to replace him.",
        ),
        show(
            "Extra Time Stories",
            "extra-time-stories",
            "The matches nobody left early.",
            "Players and supporters relive the finals that went down to the last kick.",
        ),
        show(
            "Grandma's Kitchen Radio",
            "grandmas-kitchen-radio",
            "Recipes with a tune to each.",
            "Every week one dish, one guest and the song that was on when it was made.",
        ),
        show(
            "Paper Kingdoms",
            "paper-kingdoms",
            "Animated adventure for the family.",
            "Nell folds a map and falls right into the country she has drawn.",
        ),
        show(
            "The Long Quiet",
            "the-long-quiet",
            "Nature film from the far north.",
            "One year with the wolves, owls and foxes of a forest without roads.",
        ),
    ],
    titles: &[
        "New episode: {show}",
        "Tonight: {show}",
        "{show} is back",
        "Don't miss {show}",
        "Last chance to watch {show}",
        "The whole season of {show} is here",
        "Picked for you: {show}",
        "Weekend tip: {show}",
    ],
    closings: &[
        "Watch it whenever you like, on your phone or your TV.",
        "All earlier seasons are ready to stream as well.",
        "Download it before you travel.",
        "As a subscriber you can see it today, without adverts.",
        "Add {show} to your list and we will tell you about the next one.",
    ],
};
