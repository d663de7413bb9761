/** The panel in the side area, and the reports that it opens. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IStateDB } from '@jupyterlab/statedb';
import { hubyardIcon } from '../components/icons';
import { CommandIDs, IHubyard } from '../hubyard';
import { HubyardPanel, PANEL_ID } from '../panel';
import { createReport, reportId } from '../report';
import { isSectionId, SECTION_IDS, Sections } from '../sections/model';

const FOLDED = 'hubyard-panel:folded';
const RANK = 650;

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:panel',
  description: 'Experiments, models, deployments, pipelines, apps and spend.',
  autoStart: true,
  requires: [IHubyard],
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null
  ) => {
    const sections = restoredSections(state);
    const contents = app.serviceManager.contents;
    const panel = new HubyardPanel(hubyard, sections, contents);
    app.shell.add(panel, 'left', { rank: RANK, type: 'Hubyard' });
    restorer?.add(panel, PANEL_ID);
    addOpen(app, hubyard, sections);
    addOpenReport(app, hubyard);
    const category = hubyard.trans.__('Hubyard');
    palette?.addItem({ command: CommandIDs.open, category });
    launcher?.add({ command: CommandIDs.open, category, rank: 1 });
  }
};

/** Sections that remember which of them are folded. */
function restoredSections(state: IStateDB | null): Sections {
  const sections = new Sections(folded => {
    void state?.save(FOLDED, folded);
  });
  void state?.fetch(FOLDED).then(folded => {
    if (Array.isArray(folded)) {
      sections.fold(folded.filter(isSectionId));
    }
  });
  return sections;
}

function addOpen(
  app: JupyterFrontEnd,
  { trans }: IHubyard,
  sections: Sections
): void {
  app.commands.addCommand(CommandIDs.open, {
    label: trans.__('Hubyard'),
    caption: trans.__(
      'Show experiments, models, deployments, pipelines, apps and spend'
    ),
    icon: hubyardIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          section: {
            type: 'string',
            enum: [...SECTION_IDS],
            description: trans.__('The section to show')
          },
          row: {
            type: 'string',
            description: trans.__('The id of what to show in that section')
          }
        }
      }
    },
    execute: args => {
      app.shell.activateById(PANEL_ID);
      const { row, section } = args;
      if (isSectionId(section)) {
        sections.reveal(section, typeof row === 'string' ? row : undefined);
      }
    }
  });
}

function addOpenReport(app: JupyterFrontEnd, hubyard: IHubyard): void {
  const { trans } = hubyard;
  app.commands.addCommand(CommandIDs.openReport, {
    label: trans.__('Open Report'),
    caption: trans.__('Open the report of a run'),
    describedBy: {
      args: {
        type: 'object',
        required: ['run'],
        properties: {
          run: { type: 'string', description: trans.__('The id of the run') },
          step: {
            type: 'string',
            description: trans.__('The key of a step run')
          },
          name: { type: 'string', description: trans.__('The name of the run') }
        }
      }
    },
    execute: args => {
      const { run } = args;
      if (typeof run !== 'string') {
        return;
      }
      const step = typeof args.step === 'string' ? args.step : undefined;
      const id = reportId({ run, step });
      const open = [...app.shell.widgets('main')].some(each => each.id === id);
      if (!open) {
        const name = typeof args.name === 'string' ? args.name : run;
        app.shell.add(createReport(hubyard, { run, step, name }), 'main');
      }
      app.shell.activateById(id);
    }
  });
}
