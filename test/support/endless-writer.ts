import { openJournal } from '#service/journal.js';
import { saveFile } from '#service/files.js';
import { openPictureStore } from '#service/pictures.js';
import { writeProjectFile } from '#service/project-file.js';
import { fakeEngine } from './fake-engine.js';
import { numberedPicture, numberedProject } from './numbered-project.js';

/** A program that does nothing but save numbered things of one kind, from number to number, until it is killed; it says which it has saved. */
const [kind = '', folder = '', from = '0'] = process.argv.slice(2);
const pictures = await openPictureStore({ engine: fakeEngine(), parent: `${folder}/pictures` });
const journal = openJournal({ folder: `${folder}/journal`, pictures });

async function write(number: number): Promise<void> {
  if (kind === 'save') return saveFile(`${folder}/saved/photo.png`, numberedPicture(number));
  const { id } = await pictures.add(numberedPicture(number), 'photo.png');
  const project = numberedProject(number, id);
  if (kind === 'journal') await journal.write('window-one', project);
  else await saveFile(`${folder}/saved/photo.scalebrush`, await writeProjectFile(project, pictures));
  await pictures.remove(id);
}

for (let number = Number(from); ; number++) {
  await write(number);
  process.send?.(number);
}
