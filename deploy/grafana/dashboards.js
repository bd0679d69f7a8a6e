// Writes flow.json and silos.json beside this file, or into the folder named as the first argument.
// `make observe` runs it with NODE_PATH at the SDK; the result is committed, so that nobody needs Node to use the dashboards.
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const dashboard = require('@grafana/grafana-foundation-sdk/dashboard');
const prometheus = require('@grafana/grafana-foundation-sdk/prometheus');
const common = require('@grafana/grafana-foundation-sdk/common');
const builders = {
  series: () => new (require('@grafana/grafana-foundation-sdk/timeseries').PanelBuilder)(),
  table: () => new (require('@grafana/grafana-foundation-sdk/table').PanelBuilder)(),
  stat: () => new (require('@grafana/grafana-foundation-sdk/stat').PanelBuilder)(),
  bars: () => new (require('@grafana/grafana-foundation-sdk/bargauge').PanelBuilder)(),
};

const SOURCE = { type: 'prometheus', uid: '${source}' };

// A panel: [kind, title, what it tells, unit, width in 24ths, queries, link]. A query: [expression, legend].
function panel([kind, title, description, unit, width, queries, link], index) {
  const built = builders[kind]().title(title).description(description).unit(unit).span(width).height(8).datasource(SOURCE).id(index + 1);
  queries.forEach(([expression, legend], place) => {
    const query = new prometheus.DataqueryBuilder().expr(expression).legendFormat(legend).refId(String.fromCharCode(65 + place));
    built.withTarget(kind === 'table' || kind === 'bars' ? query.instant().format(kind === 'table' ? 'table' : 'time_series') : query.range());
  });
  if (kind === 'bars') built.orientation(common.VizOrientation.Horizontal);
  if (kind === 'table') built.withTransformation({ id: 'organize', options: { excludeByName: { Time: true } } });
  if (link) built.dataLinks([new dashboard.DashboardLinkBuilder(link[0]).url('${desk:raw}' + link[1])]);
  return built;
}

function board(uid, title, description, panels, other) {
  const built = new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['polku'])
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .withVariable(new dashboard.DatasourceVariableBuilder('source').label('Prometheus').type('prometheus'))
    .withVariable(new dashboard.TextBoxVariableBuilder('desk').label('Desk').defaultValue('http://127.0.0.1:8700'))
    .link(new dashboard.DashboardLinkBuilder(other[1]).type('link').url('/d/' + other[0]).keepTime(true));
  panels.forEach((one, index) => built.withPanel(panel(one, index)));
  return built.build();
}

const flow = [
  ['series', 'Events in, by source', 'Items that the doors answered, by how they ended. `unavailable` means that the log did not take them: the sender repeats them.', 'cps', 12,
    [['sum by (source, outcome) (rate(polku_ingest_events_total[1m]))', '{{source}} {{outcome}}']]],
  ['series', 'Rejects, by door and reason', 'Inputs kept in the topic `reject`. A source that suddenly sends them has changed its form.', 'cps', 12,
    [['sum by (source, reason) (rate(polku_ingest_rejects_total[5m]))', '{{source}} {{reason}}']]],
  ['series', 'Answer time of the doors', 'From the first byte of a request to its answer, the acknowledgement of the log included.', 's', 12,
    [['histogram_quantile(0.5, sum by (le) (rate(polku_ingest_request_seconds_bucket[5m])))', 'p50'],
      ['histogram_quantile(0.99, sum by (le) (rate(polku_ingest_request_seconds_bucket[5m])))', 'p99']]],
  ['series', 'What the masks removed', 'Personal identity codes, card numbers and account numbers that somebody sent in a text.', 'cps', 12,
    [['sum by (source, what) (rate(polku_ingest_masks_total[5m]))', '{{source}} {{what}}']]],
  ['series', 'Outcomes of the machines', 'Each input ends in exactly one outcome.', 'cps', 12,
    [['sum by (machine, outcome) (rate(polku_loop_outcomes_total[1m])) > 0', '{{machine}} {{outcome}}']]],
  ['stat', 'Inputs without an outcome', 'Always zero; anything else is a bug.', 'none', 6,
    [['sum by (machine) (polku_loop_inputs_total) - sum by (machine) (polku_loop_outcomes_total)', '{{machine}}']]],
  ['stat', 'Ready', '1 while all partitions that a loop holds are restored and read.', 'none', 6,
    [['min by (machine) (polku_loop_ready)', '{{machine}}']]],
  ['series', 'Lag', 'Offsets between what is committed and the end of the inputs.', 'none', 12,
    [['sum by (machine) (polku_loop_lag_records)', '{{machine}}']]],
  ['series', 'Since the last progress', 'Seconds since a loop last committed, or found nothing to do.', 's', 12,
    [['time() - max by (machine) (polku_loop_progress_timestamp_seconds)', '{{machine}}']]],
  ['series', 'Commit time', 'How long one transaction takes.', 's', 12,
    [['histogram_quantile(0.5, sum by (machine, le) (rate(polku_loop_commit_seconds_bucket[5m])))', '{{machine}} p50'],
      ['histogram_quantile(0.99, sum by (machine, le) (rate(polku_loop_commit_seconds_bucket[5m])))', '{{machine}} p99']]],
  ['series', 'Commits and what went wrong', 'Transactions, and calls to the log that did not succeed, by how bad it was.', 'cps', 12,
    [['sum by (machine) (rate(polku_loop_commits_total[1m]))', '{{machine}} commits'],
      ['sum by (machine, severity) (rate(polku_loop_aborts_total[5m]))', '{{machine}} {{severity}}']]],
  ['series', 'Behind the log', 'Offsets between the pages that people read and the end of the log.', 'none', 8,
    [['max by (instance) (polku_serve_model_behind_records)', '{{instance}}']]],
  ['series', 'API', 'Answers, by route and class of status.', 'reqps', 8,
    [['sum by (route, status) (rate(polku_serve_requests_total[1m])) > 0', '{{route}} {{status}}']]],
  ['series', 'Live streams', 'People and systems that follow an inbox now.', 'none', 8,
    [['sum(polku_serve_stream_clients)', 'streams']]],
  ['series', 'Does the chain work?', 'The canary: from a door to the timeline, the case and the notice.', 's', 12,
    [['max by (step) (polku_canary_step_seconds)', '{{step}}'],
      ['time() - max(polku_canary_success_timestamp_seconds)', 'since the last success']]],
  ['series', 'Webhooks', 'Deliveries of notices to endpoints, by how they ended.', 'cps', 12,
    [['sum by (subscription, outcome) (rate(polku_notify_deliveries_total[5m]))', '{{subscription}} {{outcome}}']]],
  ['series', 'Processor', 'Cores in use.', 'none', 12,
    [['sum by (instance) (rate(process_cpu_seconds_total{job=~".*polku.*"}[1m]))', '{{instance}}']]],
  ['series', 'Memory', 'Resident.', 'bytes', 12,
    [['process_resident_memory_bytes{job=~".*polku.*"}', '{{instance}}']]],
];

const inbox = (show) => ['Open the inbox', `/inbox/\${__field.labels.department}?show=${show}`];
const rowInbox = ['Open the inbox', '/inbox/${__data.fields.department}'];
// Every instance of serve knows the whole company: one of them is asked, they are not added up.
const silos = [
  ['bars', 'Open cases, by department', 'Cases that somebody still has to do something about.', 'none', 8,
    [['sum by (department) (max by (department, age) (polku_cases_open))', '{{department}}']], inbox('all')],
  ['table', 'Open cases, by department and age', 'How long the customers of the open cases have waited.', 'none', 16,
    [['max by (department, age) (polku_cases_open) > 0', '']], rowInbox],
  ['table', 'Hand-offs, from whom to whom', 'Cases offered by one department to another, all told.', 'none', 12,
    [['max by (from, to, outcome) (polku_hand_offs_total) > 0', '']], ['Open these cases', '/hand-offs/${__data.fields.from}/${__data.fields.to}']],
  ['table', 'Waiting on whom', 'Open cases that wait for an outside party, and whose they are.', 'none', 12,
    [['max by (department, on) (polku_cases_waiting)', '']], ['Open these cases', '/inbox/${__data.fields.department}?show=waiting']],
  ['table', 'Due soon and overdue', 'Open cases with a deadline within four hours, or behind them.', 'none', 24,
    [['max by (department, when) (polku_cases_due) > 0', '']], ['Open these cases', '/inbox/${__data.fields.department}?show=overdue']],
  ['series', 'Deadlines missed', 'Per hour, by the department that owned the case.', 'none', 12,
    [['max by (department) (increase(polku_deadlines_missed_total[1h]))', '{{department}}']], inbox('overdue')],
  ['series', 'Escalations', 'Per hour, by the department that was asked to see to it.', 'none', 12,
    [['max by (department) (increase(polku_escalations_total[1h]))', '{{department}}']], inbox('overdue')],
  ['series', 'Score, by stage', 'Mean of all answers as a share of their scale, 0 to 1.', 'percentunit', 12,
    [['sum by (metric, stage) (max by (metric, stage, channel) (polku_score_sum)) / sum by (metric, stage) (max by (metric, stage, channel) (polku_score_count))', '{{metric}} {{stage}}']]],
  ['series', 'Score, by channel', 'The same by where the customer answered.', 'percentunit', 12,
    [['sum by (metric, channel) (max by (metric, stage, channel) (polku_score_sum)) / sum by (metric, channel) (max by (metric, stage, channel) (polku_score_count))', '{{metric}} {{channel}}']]],
  ['series', 'What customers say, by stage', 'Complaints and feedback per hour.', 'none', 12,
    [['sum by (kind, stage) (max by (kind, stage, channel) (increase(polku_feedback_total[1h])))', '{{kind}} {{stage}}']]],
  ['series', 'Resolved', 'Cases per hour, by the department that finished them.', 'none', 12,
    [['max by (department) (increase(polku_cases_resolved_total[1h]))', '{{department}}']], inbox('resolved')],
  ['series', "The customers' wait", 'From when it happened until the matter was solved, of the cases resolved in the last day.', 's', 24,
    [['histogram_quantile(0.5, max by (le) (increase(polku_case_wait_seconds_bucket[1d])))', 'p50'],
      ['histogram_quantile(0.9, max by (le) (increase(polku_case_wait_seconds_bucket[1d])))', 'p90']]],
];

const folder = process.argv[2] ?? __dirname;
for (const [name, built] of [
  ['flow', board('polku-flow', 'Polku: flow', 'Does it flow? For those who run Polku.', flow, ['polku-silos', 'Silos'])],
  ['silos', board('polku-silos', 'Polku: silos', 'Where do customers wait, and on whom? For those who run the company.', silos, ['polku-flow', 'Flow'])],
]) {
  writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(built, null, 2) + '\n');
}
