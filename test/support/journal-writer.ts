import { openJournal } from '#service/journal.js';
import { saveFile } from '#service/files.js';
import { openPictureStore } from '#service/pictures.js';
import { writeProjectFile } from '#service/project-file.js';
import { fakeEngine } from './fake-engine.js';
import { numberedPicture, numberedProject } from './numbered-project.js';

/** A program that does nothing but write its journal and a project, from number to number, until it is killed. */
const [folder = '', parent = '', file = '', from = '0'] = process.argv.slice(2);
const pictures = await openPictureStore({ engine: fakeEngine(), parent });
const journal = openJournal({ folder, pictures });
for (let number = Number(from); ; number++) {
  const { id } = await pictures.add(numberedPicture(number), 'photo.png');
  const project = numberedProject(number, id);
  await journal.write('window-one', project);
  process.send?.({ journal: number });
  await saveFile(file, await writeProjectFile(project, pictures));
  process.send?.({ file: number });
  await pictures.remove(id);
}
