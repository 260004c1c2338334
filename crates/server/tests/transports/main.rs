//! One suite over every way in which a message reaches somebody (api.md 3.6, 3.7): the same messages in the
//! same order, resumption without loss, selectors, and refusals. What a transport cannot say or take is in
//! its [`readers::Abilities`], and expected to be so.

#![expect(clippy::unwrap_used, reason = "in a test everything unexpected is a failure")]

/// Clients that lose their connections and answers at random.
mod cuts;
/// Random choices that can be repeated.
mod dice;
/// Selectors and subtopics.
mod filters;
/// What the window lost.
mod gaps;
/// The same messages in the same order.
mod order;
/// One reader of each kind.
mod readers;
/// Who may not subscribe is refused.
mod refusals;
/// A server, its keys, and publishing.
mod world;

/// One test for each transport: an async function of the transport.
macro_rules! on_every_transport {
    ($($test:ident)*) => {
        $(
            crate::on_every_transport! { @each $test
                events Events, polling Polling, long_polling LongPolling, websocket WebSocket, history History,
                rt Rt, rt_polling RtPolling
            }
        )*
    };
    (@each $test:ident $($name:ident $transport:ident),*) => {
        mod $test {
            use crate::readers::Transport;

            $(
                #[tokio::test]
                async fn $name() {
                    super::$test(Transport::$transport).await;
                }
            )*
        }
    };
}
pub(crate) use on_every_transport;
