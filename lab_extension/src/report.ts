/** A report: the HTML of an executed notebook, in a frame that can do nothing. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { reportIcon } from './components/icons';
import type { IHubyard } from './hubyard';

interface IReportOf {
  readonly run: string;
  /** Key of a step run; without it, of the one that tells most. */
  readonly step?: string | undefined;
  readonly name: string;
}

/** Names the widget of a report. */
export function reportId({ run, step }: Omit<IReportOf, 'name'>): string {
  return ['hubyard-report', run, ...(step === undefined ? [] : [step])].join(
    '-'
  );
}

/** The widget of a run's report; it fills when the HTML has come. */
export function createReport(
  { client, trans }: IHubyard,
  of: IReportOf
): MainAreaWidget {
  const { run, step, name } = of;
  const frame = document.createElement('iframe');
  // No scripts, no forms, no origin: the outputs of a notebook are not to be trusted.
  frame.setAttribute('sandbox', '');
  frame.title = trans.__('Report of %1', name);
  const content = new Widget({ node: document.createElement('div') });
  content.addClass('hy-Report');
  content.node.append(frame);
  const loaded = client.report(run, step).then(html => {
    frame.srcdoc = html;
  });
  const widget = new MainAreaWidget({ content, reveal: loaded });
  widget.id = reportId(of);
  widget.node.dataset.testid = 'hy-report-view';
  widget.title.label = trans.__('Report: %1', name);
  widget.title.icon = reportIcon;
  widget.title.closable = true;
  return widget;
}
