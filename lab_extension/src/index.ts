/** The plugins of Hubyard, each of which can be switched off by its id. */
import { helpPlugin } from './plugins/help';
import { moneyPlugin } from './plugins/money';
import { notebookPlugin } from './plugins/notebook';
import { noticesPlugin } from './plugins/notices';
import { panelPlugin } from './plugins/panel';
import { runPlugin } from './plugins/run';
import { servicesPlugin } from './plugins/services';
import { statusPlugin } from './plugins/status';
import { weekPlugin } from './plugins/week';

export { IHubyard } from './hubyard';

export default [
  servicesPlugin,
  panelPlugin,
  runPlugin,
  weekPlugin,
  statusPlugin,
  moneyPlugin,
  noticesPlugin,
  notebookPlugin,
  helpPlugin
];
