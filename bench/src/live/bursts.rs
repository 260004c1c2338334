use super::Plan;
use super::runs::alternately;
use super::target::{self, Kind, Load};
use super::transport::Transport;
use crate::report::Report;

/// Readers of a channel for whom hardly more than one message waits at a time.
const FEW: usize = 5;

/// As fast as it goes.
pub async fn measure(report: &mut Report, plan: &Plan) {
    report.section(
        "Live delivery in bursts",
        "Published by 16 connections at once, as fast as it goes; until the last reader has the last message. Postbell has every message on disk, nchan in memory, and a loop that only writes nowhere. Medians of the rounds (lowest–highest), ratios of the same round.",
        &["transport", "channels × readers", "messages", "server", "deliveries/s", "of nchan's", "p50 ms", "p99 ms", "server CPU µs a delivery"],
    );
    for (transport, crowd) in plan.pairs() {
        let load = Load {
            channels: crowd.channels,
            messages: crowd.burst,
            connections: 16,
            interval: None,
        };
        let mut kinds = target::kinds(transport);
        // With more readers of a channel it is not the least: others write many messages at once.
        if transport != Transport::SocketIo && crowd.each <= FEW {
            kinds.push(Kind::Loop);
        }
        let compared = alternately(plan.rounds, kinds, transport, crowd, load).await;
        for (kind, runs, nchan) in compared.rows() {
            let names = [
                transport.name().into(),
                crowd.name(),
                crowd.burst.to_string(),
                kind.name().into(),
            ];
            let figures = runs.as_ref().map(|runs| {
                let rates = nchan.map(|nchan| runs.ratio(nchan, |run| run.rate));
                vec![
                    runs.spread(|run| run.rate, 0),
                    rates.unwrap_or_else(|| "–".into()),
                    runs.spread(|run| run.p50, 0),
                    runs.spread(|run| run.p99, 0),
                    runs.spread(|run| run.cpu, 2),
                ]
            });
            report.measured(&names, figures);
        }
    }
}
