/** The notifier as metrics: what a target waits for, what was given up, and whether the heartbeat is taken. */
import type { Alerts } from '../alerts/api.ts';
import { labelsOf, type MetricsPage } from './prometheus.ts';

export function addAlertMetrics(page: MetricsPage, alerts: Alerts): void {
  const { targets, heartbeat, contacts } = alerts.view();
  for (const { name, sent, failed, dropped, waiting, failures, lastSuccessMs } of targets) {
    const label = labelsOf({}, { target: name });
    page.add('counter', 'picket_alerts_sent_total', 'Notifications that a target has taken', label, sent);
    page.add('counter', 'picket_alerts_failed_total', 'Tries to deliver one that failed', label, failed);
    page.add('counter', 'picket_alerts_given_up_total', 'Notifications that were given up', label, dropped);
    page.add('gauge', 'picket_alerts_waiting', 'Troubles that a target is still to be told of', label, waiting);
    page.add('gauge', 'picket_alerts_failing', 'Tries in a row that failed', label, failures);
    if (lastSuccessMs !== null) {
      const help = 'When a target last took a notification';
      page.add('gauge', 'picket_alerts_last_success_timestamp_seconds', help, label, lastSuccessMs / 1000);
    }
  }
  if (heartbeat !== null && heartbeat.lastSuccessMs !== null) {
    const help = 'When the outgoing heartbeat was last taken';
    page.add('gauge', 'picket_heartbeat_last_success_timestamp_seconds', help, '', heartbeat.lastSuccessMs / 1000);
  }
  const overdue = contacts.filter(({ overdueMs }) => overdueMs !== null).length;
  page.add('gauge', 'picket_agents_overdue', 'Agents that are silent for longer than is expected of them', '', overdue);
}
