use ::model::position::{Epoch, Position, Since};
use postbell_hub::{ChannelKey, Delivery};

use crate::support::{Log, at};

/// What is known of one reader, from its deliveries alone.
pub struct Reader {
    pub channel: ChannelKey,
    /// It gets the multiples of this.
    pub filter: u64,
    pub position: Position,
    pub ended: bool,
}

/// All logs that the reader's channel ever had.
pub struct Logs<'a> {
    pub current: Log,
    pub dead: Vec<&'a Log>,
}

impl Logs<'_> {
    /// What is on its way while a channel is deleted may still come.
    fn of(&self, epoch: Epoch) -> &Log {
        let all = self.dead.iter().copied().chain([&self.current]);
        all.into_iter()
            .find(|log| log.epoch == Some(epoch))
            .expect("it existed")
    }

    fn is_dead(&self, epoch: Epoch) -> bool {
        self.dead.iter().any(|log| log.epoch == Some(epoch))
    }
}

impl Reader {
    /// The next message that its filter lets through.
    pub fn next_match(&self, after: u64) -> u64 {
        (after / self.filter + 1) * self.filter
    }

    /// Holds a delivery against what may come next.
    pub fn hold(&mut self, delivery: &Delivery, logs: &Logs<'_>) {
        assert!(!self.ended, "something came after the end");
        match delivery {
            Delivery::Message { entry, .. } => {
                let seq = entry.message.seq;
                let (epoch, before) = match self.position {
                    Position::At { epoch, seq } => (epoch, seq),
                    Position::Start => (entry.epoch, 0),
                };
                assert_eq!((entry.epoch, seq), (epoch, self.next_match(before)));
                self.position = at(epoch, seq);
            }
            Delivery::Gap { from, to, .. } => {
                let Position::At { epoch, seq } = *to else {
                    panic!("a gap leads to a message");
                };
                self.hold_gap(*from, epoch, seq, logs);
                assert!(seq <= logs.of(epoch).floor, "a gap over what there is");
                self.position = *to;
            }
            Delivery::End { .. } => {
                self.ended = true;
                assert!(match self.position {
                    Position::At { epoch, .. } => logs.is_dead(epoch),
                    Position::Start => !logs.dead.is_empty(),
                });
            }
            Delivery::Closed { .. } => panic!("nobody closed the connection"),
        }
    }

    /// A gap begins where the reader was, or further on among messages that its filter refused.
    fn hold_gap(&self, from: Since, to: Epoch, to_seq: u64, logs: &Logs<'_>) {
        match (self.position, from) {
            (
                Position::At { epoch, seq },
                Since::Position {
                    epoch: asked,
                    seq: from,
                },
            ) => {
                assert_eq!(asked, epoch);
                assert!((seq..self.next_match(seq)).contains(&from));
                if to == epoch {
                    assert!(to_seq > from, "an empty gap");
                } else {
                    assert!(
                        to.0 > epoch.0 && logs.is_dead(epoch),
                        "a gap to an older incarnation"
                    );
                }
            }
            (Position::Start, Since::Position { seq, .. } | Since::Seq(seq)) => assert!(seq < self.filter),
            (known, asked) => panic!("a gap from {asked} where the reader was at {known}"),
        }
    }
}
