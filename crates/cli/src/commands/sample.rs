/// The words: shows, headlines, sentences.
mod texts;

use std::process::ExitCode;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::output::Output;
use texts::{ENGLISH, Language, SWEDISH, Show};

/// What comes out.
pub const HELP: &str = "\
Output: one JSON document a line, lines end in \\r\\n, about 450 bytes each; half of the users read Swedish, \
the others English. The same --seed, --messages, --users and --now give the same bytes. Everything is made \
up: the shows, the people, the addresses under example.com.

Example:
  postbell sample-campaign --messages 25000 --users 2500 | postbell import -

Exit status: 0 done, also when nobody reads the output any more, 1 failure, 2 wrong usage.";

/// Written to stdout at once.
const PAGE: usize = 64 * 1024;

/// Arguments of `sample-campaign`.
#[derive(Debug, clap::Args)]
pub struct SampleArgs {
    /// How many messages
    #[arg(long, value_name = "N")]
    messages: u64,
    /// How many users they are spread over [default: one for ten messages]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    users: Option<u64>,
    /// Other seeds give other messages with other ids
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The time around which messages are created, RFC 3339 [default: the present hour]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// Prints the file.
///
/// # Errors
/// An output that cannot be written.
pub fn run(args: SampleArgs, output: &Output) -> anyhow::Result<ExitCode> {
    let now = args.now.unwrap_or_else(present_hour);
    let users = args.users.unwrap_or(args.messages / 10).max(1);
    let campaign = Campaign {
        seed: args.seed,
        users,
        now,
        zone: TimeZone::get("Europe/Stockholm")?,
    };
    let mut page = Vec::with_capacity(PAGE + 4096);
    for number in 1..=args.messages {
        serde_json::to_writer(&mut page, &campaign.message(number))?;
        page.extend_from_slice(b"\r\n");
        if page.len() >= PAGE || number == args.messages {
            output.bytes(&page)?;
            page.clear();
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge of the program; --now sets another time"
)]
fn present_hour() -> Timestamp {
    let seconds = Timestamp::now().as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(3600)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A document of an import (api.md 4).
#[derive(Debug, Serialize)]
struct Document {
    id: String,
    uid: String,
    vid: String,
    created: String,
    expires: String,
    title: String,
    lead: &'static str,
    body: String,
    url: String,
    img: String,
    clients: &'static [&'static str],
    r#type: &'static str,
    prio: u32,
}

const CLIENTS: [&[&str]; 6] = [
    &["web", "ios", "android"],
    &["web", "ios", "android", "atv", "stv"],
    &["web"],
    &["ios", "android"],
    &["atv", "stv"],
    &["web", "stv"],
];

const TYPES: [&str; 5] = ["campaign", "reminder", "premiere", "offer", "news"];

struct Campaign {
    seed: u64,
    users: u64,
    now: Timestamp,
    zone: TimeZone,
}

impl Campaign {
    /// Each message draws from a generator of its own, so that it does not depend on the others.
    fn message(&self, number: u64) -> Document {
        let mut dice =
            Dice(self.seed.wrapping_mul(0xA24B_AED4_963E_E407) ^ number.wrapping_mul(0x9FB2_1C65_1E98_DF25));
        let user = dice.below(self.users);
        let language: &Language = if user.is_multiple_of(2) {
            &SWEDISH
        } else {
            &ENGLISH
        };
        let show: Show = dice.pick(language.shows);
        let created = self.now - SignedDuration::from_secs(dice.between(0, 3 * 24 * 3600));
        let expires = created + SignedDuration::from_hours(dice.between(14 * 24, 60 * 24));
        let vid = 3_000_000 + dice.below(90_000);
        let with_show = |pattern: &str| pattern.replace("{show}", show.title);
        let mut body = show.about.to_owned();
        if dice.below(3) == 0 {
            body.push(' ');
            body.push_str(&with_show(dice.pick(language.closings)));
        }
        Document {
            id: format!("c{}-{number}", self.seed),
            uid: (1_600_000 + user).to_string(),
            vid: vid.to_string(),
            created: self.text(created),
            expires: self.text(expires),
            title: with_show(dice.pick(language.titles)),
            lead: show.lead,
            body,
            url: format!("https://www.example.com/{}/{}", language.path, show.slug),
            img: format!("https://img.example.com/1024/{vid}.jpg"),
            clients: dice.pick(&CLIENTS),
            r#type: dice.pick(&TYPES),
            prio: u32::try_from(dice.below(100)).unwrap_or_default(),
        }
    }

    /// RFC 3339 with the offset of the campaign's home.
    fn text(&self, time: Timestamp) -> String {
        time.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string()
    }
}

/// SplitMix64: small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn between(&mut self, from: u64, to: u64) -> i64 {
        i64::try_from(from + self.below(to - from)).unwrap_or_default()
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests;
