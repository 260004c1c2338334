use std::collections::HashMap;
use std::sync::{Arc, Weak};

use ::model::position::Position;
use postbell_hub::{ChannelKey, Connection, Delivery, Hub, Offered, SubscriptionId};

use crate::oracle::{Logs, Reader};
use crate::support::*;

/// A connection with what its readers are known to have.
pub struct Client {
    pub connection: Connection,
    pub socket: Arc<Socket>,
    pub wakes: Arc<Wakes>,
    pub readers: HashMap<SubscriptionId, Reader>,
}

impl Client {
    /// One without a socket, one whose socket is of many minds, and ones whose socket takes everything.
    pub fn new(hub: &Hub, nth: usize) -> Self {
        use Offered::{Begun, Refused, Written};
        let says: &[_] = match nth {
            1 => &[Written, Refused, Begun, Written],
            _ => &[Written],
        };
        let (mut connection, socket) = (hub.connect(), Socket::new(says));
        if nth > 0 {
            let outlet: Weak<Socket> = Arc::downgrade(&socket);
            connection.set_outlet(outlet);
        }
        Self {
            connection,
            socket,
            wakes: Arc::default(),
            readers: HashMap::new(),
        }
    }

    /// Holds what the socket took against the oracle: it came before whatever is polled from now on.
    pub fn hold_taken(&mut self, store: &FakeStore, dead: &[(ChannelKey, Log)]) {
        for delivery in self.socket.taken() {
            // A real outlet refuses what is for a subscription that was dropped meanwhile.
            let Delivery::Message { subscription, .. } = &delivery else {
                panic!("an outlet takes messages alone");
            };
            if self.readers.contains_key(subscription) {
                self.hold(&delivery, store, dead);
            }
        }
    }

    /// Holds a delivery against the oracle.
    pub fn hold(&mut self, delivery: &Delivery, store: &FakeStore, dead: &[(ChannelKey, Log)]) {
        let (Delivery::Message { subscription, .. }
        | Delivery::Gap { subscription, .. }
        | Delivery::End { subscription, .. }) = delivery
        else {
            panic!("nobody closed the connection");
        };
        let reader = self.readers.get_mut(subscription).expect("it was started");
        let dead = dead.iter().filter(|(channel, _)| *channel == reader.channel);
        let logs = Logs {
            current: store.log(&reader.channel),
            dead: dead.map(|(_, log)| log).collect(),
        };
        reader.hold(delivery, &logs);
    }

    /// A position that is told is not behind what was written.
    pub fn hold_positions(&mut self) {
        for (id, reader) in self.readers.iter().filter(|(_, reader)| !reader.ended) {
            let told = self.connection.position(*id);
            if let (Some(Position::At { epoch, seq }), Position::At { epoch: of, seq: had }) =
                (told, reader.position)
            {
                assert!(epoch != of || seq >= had, "{seq} is told to who has {had}");
            }
        }
    }
}
