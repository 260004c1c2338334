use std::time::Duration;

use super::Plan;
use super::runs::{Run, alternately};
use super::target::{self, Kind, Load};
use super::transport::Transport;
use crate::report::Report;

const SECONDS: u32 = 4;

/// Messages leave at their times whatever the server does: one connection may be late, not all.
pub async fn measure(report: &mut Report, plan: &Plan) {
    report.section(
        "Live delivery at a fixed rate",
        "Open loop over 4 s: from the time a publish was due to its receipt by each reader, all on the same cores. A loop that takes the same requests and does nothing but write each message to every reader shows what the kernel takes. Medians of the rounds (lowest–highest), ratios of the same round.",
        &["transport", "channels × readers", "server", "deliveries/s", "p50 ms", "p99 ms", "of nchan's", "server CPU µs a delivery", "of it in the kernel", "of nchan's"],
    );
    for (transport, crowd) in plan.pairs() {
        let load = Load {
            channels: crowd.channels,
            messages: (crowd.rate * SECONDS) as usize,
            connections: 64,
            interval: Some(Duration::from_secs(1) / crowd.rate),
        };
        let mut kinds = target::kinds(transport);
        if transport != Transport::SocketIo {
            kinds.push(Kind::Loop);
        }
        let compared = alternately(plan.rounds, kinds, transport, crowd, load).await;
        for (kind, runs, nchan) in compared.rows() {
            let names = [transport.name().into(), crowd.name(), kind.name().into()];
            let figures = runs.as_ref().map(|runs| {
                let of_nchan = |value: fn(&Run) -> f64| {
                    nchan.map_or_else(|| "–".into(), |nchan| runs.ratio(nchan, value))
                };
                vec![
                    runs.spread(|run| run.rate, 0),
                    runs.spread(|run| run.p50, 1),
                    runs.spread(|run| run.p99, 1),
                    of_nchan(|run| run.p99),
                    runs.spread(|run| run.cpu, 1),
                    runs.spread(|run| run.kernel, 1),
                    of_nchan(|run| run.cpu),
                ]
            });
            report.measured(&names, figures);
        }
    }
}
