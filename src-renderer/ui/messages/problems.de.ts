import type { NoticeWords, Problems } from './problems.en.js';

const TABLE = 'Bild, Maske und Schritte sind unverändert.';
const FILES = 'Im Fenster hat sich nichts geändert, und keine Datei wurde geschrieben.';
const PACKS = 'Ihre anderen Modelle und Ihr Bild sind unverändert.';

/** Each failure that is foreseen, in German. */
export const problems: Problems = {
  'request.invalid': {
    cause: 'Eine Einstellung ist nicht brauchbar.',
    kept: TABLE,
    press: 'Die genannte Einstellung ändern, dann die Haupttaste drücken.',
  },
  'image.unreadable': {
    cause: 'Die Datei ließ sich nicht als Bild lesen.',
    kept: FILES,
    press: 'Sie in einem Bildprogramm neu speichern, dann Öffnen drücken.',
  },
  'image.unsupported': {
    cause: 'Diese Art von Datei wird nicht unterstützt.',
    kept: FILES,
    press: 'Sie in PNG, JPEG, WebP, TIFF oder AVIF umwandeln, dann Öffnen drücken.',
  },
  'image.too-large': {
    cause: 'Das Bild ist zu groß.',
    kept: FILES,
    press: 'Öffnen drücken und eines mit höchstens 100 Megapixeln und 65.500 Pixeln je Seite wählen.',
  },
  'output.too-large': {
    cause: 'Das Bild ist für diese Art von Datei zu breit oder zu hoch.',
    kept: TABLE,
    press: 'Noch einmal Speichern drücken und PNG oder TIFF wählen, oder eine kleinere Größe.',
  },
  'image.too-small': {
    cause: 'Das Bild ist zu klein.',
    kept: TABLE,
    press: 'Öffnen drücken und eines mit mindestens 16 Pixeln je Seite wählen.',
  },
  'mask.empty': { cause: 'Nichts ist maskiert.', kept: TABLE, press: 'Mit dem Pinsel malen, was sich ändern soll.' },
  'mask.invalid': {
    cause: 'Dieses Bild ist keine Maske.',
    kept: TABLE,
    press: 'Eines wählen, das weiß ist, wo neu gemalt wird, und sonst schwarz, oder das Bild, in dem diese Stelle radiert ist.',
  },
  'mask.size': {
    cause: 'Die Maske hat eine andere Form als das Bild.',
    kept: TABLE,
    press: 'Eine Maske wählen, die zu diesem Bild gehört.',
  },
  'instruction.unknown-words': {
    cause: 'Die Anweisung enthält Wörter, die dieses Modell nicht kennt.',
    kept: TABLE,
    press: 'Eines der Wörter drücken, die unter der Anweisung stehen.',
  },
  'instruction.negated': {
    cause: 'Die Anweisung sagt, was nicht geschehen soll, und dieses Modell täte genau das.',
    kept: TABLE,
    press: 'Schreiben, was sich stattdessen ändern soll, oder das Bild lassen, wie es ist.',
  },
  'instruction.missing': {
    cause: 'Es gibt noch keine Anweisung.',
    kept: TABLE,
    press: 'Schreiben, was sich ändern soll, dann Enter drücken.',
  },
  'pack.unknown': { cause: 'Dieses Modell ist nicht installiert.', kept: PACKS, press: 'Unter Mehr, Modelle ein anderes wählen.' },
  'pack.damaged': {
    cause: 'Dateien dieses Modells sind beschädigt.',
    kept: PACKS,
    press: 'Unter Mehr, Modelle Prüfen drücken und es neu installieren.',
  },
  'pack.unable': { cause: 'Das kann dieses Modell nicht.', kept: TABLE, press: 'Unter Mehr ein anderes Modell wählen.' },
  'pack.protected': {
    cause: 'Das Modell gehört zum Programm.',
    kept: PACKS,
    press: 'Einen anderen Namen wählen, oder es lassen, wo es ist.',
  },
  'weights.refused': {
    cause: 'Diese Gewichte werden abgelehnt; nichts darin wurde ausgeführt.',
    kept: PACKS,
    press: 'Eine veröffentlichte Datei nehmen, oder nur das State Dict speichern: torch.save(model.state_dict(), "weights.pth").',
  },
  'weights.changed': {
    cause: 'Eine Gewichtsdatei änderte sich, während sie offen war.',
    kept: TABLE,
    press: 'Erneut versuchen drücken: Das Modell wird neu geladen.',
  },
  'weights.damaged': {
    cause: 'Die Gewichte sind beschädigt.',
    kept: TABLE,
    press: 'Unter Mehr, Modelle Prüfen drücken und das Modell neu installieren.',
  },
  'tokens.invalid': {
    cause: 'Wovon es weitergehen soll, hat ein anderes Modell gemacht.',
    kept: TABLE,
    press: 'Unter Mehr jenes Modell wählen.',
  },
  'memory.too-little': {
    cause: 'Es ist zu wenig Speicher frei.',
    kept: TABLE,
    press: 'Ein schnelleres Tempo wählen, dann Erneut versuchen drücken.',
  },
  'provider.unavailable': {
    cause: 'Die gewählte Hardware lässt sich hier nicht nutzen.',
    kept: TABLE,
    press: 'Unter Mehr, Hardware Automatisch wählen.',
  },
  'inference.died': {
    cause: 'Der Prozess, der rechnet, ist zu Ende gegangen.',
    kept: TABLE,
    press: 'Erneut versuchen drücken: Ein neuer ist da.',
  },
  'picture.unknown': { cause: 'Das Studio hält dieses Bild nicht mehr.', kept: FILES, press: 'Öffnen drücken und es noch einmal wählen.' },
  'project.unreadable': {
    cause: 'Das Projekt ließ sich nicht lesen.',
    kept: FILES,
    press: 'Öffnen drücken und eine früher gespeicherte Kopie wählen.',
  },
  'project.newer': { cause: 'Das Projekt stammt von einem neueren Scalebrush.', kept: FILES, press: 'Es mit jener Version öffnen.' },
  'output.exists': { cause: 'Dieser Name ist vergeben.', kept: FILES, press: 'Einen anderen Namen wählen.' },
  'output.unwritable': {
    cause: 'Die Datei ließ sich nicht schreiben.',
    kept: 'Ihr Bild bleibt offen, und ältere Dateien sind, wie sie waren.',
    press: 'Platz schaffen oder einen anderen Ordner wählen, dann noch einmal speichern.',
  },
  'job.busy': { cause: 'Zu viele Läufe warten.', kept: TABLE, press: 'Warten, bis einer zu Ende ist, dann Erneut versuchen drücken.' },
  'job.unknown': { cause: 'Dieser Lauf ist schon zu Ende.', kept: TABLE, press: 'Mit der Haupttaste einen neuen beginnen.' },
  'service.unreachable': {
    cause: 'Es kommt keine Antwort.',
    kept: 'Was im Fenster ist, ist unverändert.',
    press: 'Nachsehen, ob es läuft und verbunden ist, dann Erneut versuchen drücken.',
  },
  'farm.unreachable': {
    cause: 'Die Farm antwortet nicht.',
    kept: TABLE,
    press: 'In den Einstellungen prüfen, welche Farm gemeint ist und ob ihr Redis läuft, dann die Haupttaste drücken.',
  },
  'farm.unsafe': {
    cause: 'Die Farm ist nicht sicher eingerichtet.',
    kept: TABLE,
    press: 'Die genannte Einstellung ändern lassen, wie docs/farm.md sagt, dann die Haupttaste drücken.',
  },
  'access.denied': {
    cause: 'Diese Seite hat keinen Zugang zum Studio mehr.',
    kept: 'Was Sie bis eben getan haben, steht in seinem Journal.',
    press: 'Die Adresse öffnen, die der Server genannt hat.',
  },
  bug: {
    cause: 'Etwas ging schief, was nicht sollte.',
    kept: TABLE,
    press: 'Schließen drücken und weitermachen; die Zeile darüber bitte melden.',
  },
};

export const noticeWords: NoticeWords = {
  'instruction.cut': 'Die Anweisung ist länger, als dieses Modell lesen kann; ihr Ende entfiel.',
  'instruction.unknown-words': 'Wörter, die dieses Modell nicht kennt, wurden ausgelassen.',
  'image.deep': 'Das Bild hat 16 Bit je Kanal; Pixel, die keine Bearbeitung berührt, behalten sie.',
  'image.animated': 'Nur das erste Einzelbild oder die erste Seite wird verwendet.',
  'image.smaller-page': 'Die Datei beginnt mit einer kleineren Kopie ihres Bildes; verwendet wird das volle Bild und keine andere Seite.',
  'image.damaged': 'Die Datei ist beschädigt; offen ist, was sich lesen ließ.',
  'image.cmyk': 'Das Bild wurde von CMYK nach sRGB umgewandelt.',
  'image.lab': 'Das Bild wurde von CIELAB nach sRGB umgewandelt.',
  'image.gray': 'Das Bild ist grau und bleibt grau: Nur die Helligkeit des Ergebnisses wird übernommen.',
  'image.floats': 'Das Bild enthält Zahlen anderer Art und wird mit 16 Bit je Kanal bearbeitet.',
  'image.channels':
    'Die Datei hat Kanäle, die weder Farbe noch Transparenz sind. Bearbeitungen im Fenster behalten sie nicht; „Dasselbe für alle…“ oder die Kommandozeile tut es, in TIFF.',
  'image.profile': 'Das Farbprofil in der Datei passt nicht zu ihren Pixeln und wurde weggelassen.',
  'image.hdr': 'Das Bild ist HDR: Was heller als Papierweiß ist, bleibt, aber das Modell sieht es als Weiß.',
  'image.metadata': 'Ein Teil der Metadaten ist beschädigt oder zu groß und wurde weggelassen.',
  'image.gain-map': 'Die Gain Map für HDR-Bildschirme bleibt nicht erhalten: Sie passte nicht mehr zum Bild.',
  'image.attached': 'Weitere Bilder in der Datei, etwa Vorschauen und Tiefenkarten, bleiben nicht erhalten.',
  'output.alpha': 'JPEG kennt keine Transparenz: Unter das Bild kommt Weiß.',
  'output.depth': 'Dieses Format hat 8 Bit je Kanal; PNG und TIFF behalten 16.',
  'output.channels': 'Weitere Kanäle der Datei bleiben nicht erhalten; in TIFF behält sie „Dasselbe für alle…“ oder die Kommandozeile.',
  'output.metadata': 'Dieses Format hat keinen Platz für einen Teil der Metadaten.',
  'mask.incomplete': 'Nur ein Teil der Maskendatei wird verwendet: Sie ist beschädigt oder enthält mehrere Seiten oder Bilder.',
  'mask.resized': 'Die Maske wurde der Größe des Bilds angepasst.',
  'mask.labels': 'Die Maske hat wenige dunkle Werte: alles außer dem niedrigsten wird neu gemalt.',
  'mask.cleaned': 'Schwarz und Weiß der Maske waren es nicht ganz; sie gelten als solches.',
  'mask.erased': 'Die Maske ist ein Bild, in dem eine Stelle radiert ist: diese Stelle wird neu gemalt.',
  'map.incomplete': 'Nur ein Teil der Kartendatei wird verwendet: Sie ist beschädigt oder enthält mehrere Seiten oder Bilder.',
  'map.stretched': 'Die Karte nutzt wenig von ihrem Umfang; sie wurde gespreizt.',
  'map.fitted': 'Die Karte hat eine andere Form als das Bild; sie wurde eingepasst.',
  'edit.only-answer':
    'Dieser Wunsch ändert nur Farben und hat eine einzige Antwort: Ein anderer Startwert gibt dasselbe Bild. Andere Worte geben ein anderes.',
  'edit.unchanged': 'Es fand sich nichts zu ändern: das Bild ist, wie es war.',
  'project.recovered': 'Hier ging es zuletzt weiter.',
  'queue.put-away': 'Die Läufe des anderen Dokuments warten mit ihm und gehen weiter, wenn es wieder offen ist.',
  'queue.recovered': 'Hier warten angehaltene Läufe, die noch nicht gemacht sind: Die Warteschlange startet oder verwirft sie.',
  'previews.off': 'Der Speicher ist knapp: das Bild entsteht ohne Vorschau.',
  'mask.edge': 'Der Schatten des Objekts oder ein Rest davon liegt außerhalb der Maske.',
  'detail.memory': 'Der Speicher ist knapp: das feinste Detail fehlt.',
  'detail.no-source': 'Im Foto ist nichts, wovon Details kopiert werden könnten; es bleiben die Pixel des Modells.',
  'recipe.ignored': 'Das Rezept in dieser Datei ist nicht lesbar und wurde weggelassen.',
  'recipe.restored': 'Alle Vorgaben sind wie damals, als dieses Bild entstand.',
  'recipe.other-pack': 'Es entstand mit einem Modell anderen Namens oder anderer Version als dem installierten.',
  'recipe.other-weights':
    'Es entstand mit anderen Gewichten dieses Modells als den installierten: ein neuer Lauf zeichnet ein anderes Bild.',
  'steps.dependent': 'Ein späterer Schritt baut auf diesem auf; er bleibt deshalb, wo er ist.',
  'steps.stale': 'Schritte, die auf diesem aufbauen, sind gekennzeichnet: sie erneut ausführen.',
  'preset.experimental': 'Für dieses Tempo wurde das Modell nicht trainiert: experimentell.',
};
