/** A report: the HTML of an executed notebook, in a frame that can do nothing. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { reportIcon } from './components/icons';
import type { IHubyard } from './hubyard';

interface IReportOf {
  readonly run: string;
  readonly name: string;
}

/** The widget of a run's report; it fills when the HTML has come. */
export function createReport(
  { client, trans }: IHubyard,
  { run, name }: IReportOf
): MainAreaWidget {
  const frame = document.createElement('iframe');
  // No scripts, no forms, no origin: the outputs of a notebook are not to be trusted.
  frame.setAttribute('sandbox', '');
  frame.title = trans.__('Report of %1', name);
  const content = new Widget({ node: document.createElement('div') });
  content.addClass('hy-Report');
  content.node.append(frame);
  const loaded = client.report(run).then(html => {
    frame.srcdoc = html;
  });
  const widget = new MainAreaWidget({ content, reveal: loaded });
  widget.id = `hubyard-report-${run}`;
  widget.node.dataset.testid = 'hy-report-view';
  widget.title.label = trans.__('Report: %1', name);
  widget.title.icon = reportIcon;
  widget.title.closable = true;
  return widget;
}
