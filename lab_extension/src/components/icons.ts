/** Hubyard's own icons, coloured by the theme. 24 units wide, round ends. */
import { LabIcon } from '@jupyterlab/ui-components';

function icon(name: string, shape: string): LabIcon {
  return new LabIcon({
    name: `hubyard:${name}`,
    svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24" fill="none">${shape}</svg>`
  });
}

function drawn(name: string, shape: string): LabIcon {
  const pen =
    'class="jp-icon3" stroke="#616161" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
  return icon(name, `<g ${pen}>${shape}</g>`);
}

function filled(name: string, shape: string): LabIcon {
  return icon(name, `<g class="jp-icon3" fill="#616161">${shape}</g>`);
}

const RING = '<circle cx="12" cy="12" r="9"/>';

/** Four workloads around one yard. */
export const hubyardIcon = filled(
  'logo',
  '<rect x="3" y="3" width="7.5" height="7.5" rx="2"/><rect x="13.5" y="3" width="7.5" height="7.5" rx="2"/><rect x="3" y="13.5" width="7.5" height="7.5" rx="2"/><circle cx="17.25" cy="17.25" r="3.75"/>'
);
export const scheduleIcon = drawn(
  'schedule',
  `${RING}<path d="M12 7v5l3.5 2"/>`
);
export const weekIcon = drawn(
  'week',
  '<rect x="3" y="5" width="18" height="15.5" rx="2"/><path d="M3 10h18M8 2.8v4m8-4v4M7.5 14h3m3 0h3"/>'
);
export const publishIcon = drawn(
  'publish',
  '<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M3 8.5h18M12 17v-5.5M9.5 13.5 12 11l2.5 2.5"/>'
);

export const waitingIcon = drawn('waiting', `${RING}<path d="M12 7v5l3 2"/>`);
export const runningStatusIcon = drawn(
  'running',
  '<path d="M21 12a9 9 0 1 1-6.2-8.56"/>'
);
export const readyIcon = drawn(
  'ready',
  `${RING}<circle cx="12" cy="12" r="3.5" fill="#616161" class="jp-icon3"/>`
);
export const succeededIcon = drawn(
  'succeeded',
  `${RING}<path d="m8 12.5 2.8 2.8L16 9.5"/>`
);
export const failedIcon = drawn(
  'failed',
  `${RING}<path d="m9 9 6 6m0-6-6 6"/>`
);
export const stoppedIcon = drawn(
  'stopped',
  `${RING}<rect x="9" y="9" width="6" height="6" rx="1" fill="#616161" class="jp-icon3"/>`
);
export const leftOutIcon = drawn('left-out', `${RING}<path d="M8.5 12h7"/>`);
export const warningIcon = drawn(
  'warning',
  '<path d="M12 3.5 2.5 20h19zM12 10v4.5m0 2.8v.1"/>'
);
export const pausedIcon = drawn('paused', `${RING}<path d="M10 9v6m4-6v6"/>`);

export const extendIcon = drawn(
  'extend',
  '<path d="M20.5 10A9 9 0 1 0 14 20.8M12 7v5l2 1.5M18 15v6m-3-3h6"/>'
);
export const startIcon = drawn('start', '<path d="M7 4.5v15l12-7.5z"/>');
export const haltIcon = drawn(
  'halt',
  '<rect x="6" y="6" width="12" height="12" rx="1.5"/>'
);
export const runIcon = drawn(
  'run',
  '<circle cx="5.5" cy="12" r="2.5"/><circle cx="18.5" cy="6" r="2.5"/><circle cx="18.5" cy="18" r="2.5"/><path d="m8 11 8-4m-8 6 8 4"/>'
);
export const pauseIcon = drawn('pause', '<path d="M9 5v14m6-14v14"/>');
export const resumeIcon = drawn('resume', '<path d="M5 5v14M10 5v14l10-7z"/>');
export const editIcon = drawn(
  'edit',
  '<path d="M4 20l1-5L16 4l4 4L9 19zM13.5 6.5l4 4"/>'
);
export const updateIcon = drawn(
  'update',
  '<path d="M12 20V9m-5 5 5-5 5 5M5 4h14"/>'
);
export const removeIcon = drawn(
  'remove',
  '<path d="M4 7h16M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.3 11v5m3.4-5v5"/>'
);
export const openIcon = drawn(
  'open',
  '<path d="M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5"/>'
);
export const shareIcon = drawn(
  'share',
  '<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20c.4-4 3-6 6.5-6 2 0 3.6.7 4.7 1.9M18 12.5v7m-3.5-3.5h7"/>'
);
export const notebookIcon = drawn(
  'notebook',
  '<rect x="5" y="3.5" width="14" height="17" rx="1.5"/><path d="M9 3.5v17M12.5 8.5h3.5M12.5 12h3.5"/>'
);
export const reportIcon = drawn(
  'report',
  '<path d="M6 3.5h8l4.5 4.5v12.5h-12.5zM14 3.5V8h4.5M9 12.5h6M9 16h6"/>'
);
export const bellIcon = drawn(
  'bell',
  '<path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 21h4"/>'
);
export const helpIcon = drawn(
  'help',
  `${RING}<path d="M9.4 9.4a2.7 2.7 0 1 1 3.9 2.5c-.9.4-1.3 1-1.3 1.8m0 3v.1"/>`
);
export const usageIcon = drawn(
  'usage',
  '<path d="M4 4v16h16M7.5 14.5l4-5 3 3 4.5-6"/>'
);
export const caretIcon = drawn('caret', '<path d="m9 6 6 6-6 6"/>');
export const refreshIcon = drawn(
  'refresh',
  '<path d="M20 11.5a8 8 0 1 0-2.3 6.1M20 5v6h-6"/>'
);
export const copyIcon = drawn(
  'copy',
  '<rect x="9" y="9" width="11" height="11" rx="1.5"/><path d="M15 9V5.5A1.5 1.5 0 0 0 13.5 4h-8A1.5 1.5 0 0 0 4 5.5v8A1.5 1.5 0 0 0 5.5 15H9"/>'
);
export const doneIcon = drawn('done', '<path d="m5 12.5 4.5 4.5L19 7.5"/>');
