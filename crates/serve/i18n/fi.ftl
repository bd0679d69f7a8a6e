# The desk in Finnish. The three files have the same keys with the same variables; a test compares them.

## Every page

skip = Siirry sisältöön
menu = Valikko
menu-inbox = Saapuneet
menu-search = Haku
menu-record = Kirjaa
menu-path = Polku
menu-hand-offs = Siirrot
preferences = Asetukset
language = Kieli
theme = Ulkoasu
theme-system = Järjestelmän
theme-light = Vaalea
theme-dark = Tumma
sign-out = Kirjaudu ulos
to-the-front = Etusivulle
role-advisor = Asiantuntija
role-lead = Esihenkilö
role-front-line = Asiakaspalvelu
role-admin = Pääkäyttäjä
role-machine = Kone

## Signing in

sign-in-title = Kirjaudu Polkuun
sign-in = Kirjaudu
sign-in-key = Avain
sign-in-hint = Henkilökohtainen avaimesi. Sen sai Polun ylläpidolta.
sign-in-wrong-key = Avainta ei tunneta. Tarkista se ja yritä uudelleen.
sign-in-machine = Tämä on koneen avain. Työpöydälle kirjaudutaan henkilön avaimella.
sign-in-too-many = Liian monta epäonnistunutta yritystä. Odota viisi minuuttia ja yritä uudelleen.
sign-in-used-link = Linkki on jo käytetty tai vanhentunut. Kirjaudu avaimella.
about-title = Mikä Polku on?
about = Polku kokoaa asiakkaan asiat myymälöistä, puhelinpalvelusta, verkosta ja alihankkijoilta yhdelle aikajanalle.
about-more = Jokaisella keskeneräisellä asialla on osasto, joka vastaa siitä, kunnes asiakkaan ongelma on ratkaistu.
about-api = Rajapinta
about-counts = Luvut
about-metrics = Mittarit
about-ready = Onko valmiina?
figures-title = Luvut nyt
figures-events = Tapahtumat
figures-sum = { $accepted } vastaanotettu = { $entries } aikajanoilla + { $pending } tulossa + { $anonymous } nimetöntä + { $apart } erillään
figures-repeats = Toistoja, jotka eivät muuttaneet mitään
figures-refused-door = Ovella hylätyt
figures-refused-machine = Myöhemmin hylätyt
figures-customers = Asiakkaat
figures-open = Avoimet tapaukset
figures-resolved = Ratkaistut tapaukset
figures-balance = Luvut täsmäävät.
figures-no-balance = Luvut eivät juuri nyt täsmää.
figures-by-department = Avoimet tapaukset osastoittain

## Trouble

trouble-title-signed-out = Kirjaudu sisään
trouble-signed-out = Sivu on kirjautuneille.
trouble-title-forged = Lomaketta ei otettu vastaan
trouble-forged = Lomake ei kuulu tähän istuntoon. Palaa sivulle, lataa se uudelleen ja yritä uudestaan.
trouble-title-forbidden = Tämä ei kuulu sinulle
trouble-forbidden = Asia on toisen osaston, tai roolisi ei riitä sen lukemiseen.
trouble-title-not-found = Sivua ei löydy
trouble-not-found = Tässä osoitteessa ei ole mitään. Ehkä linkki on vanha.
trouble-title-too-large = Liian pitkä
trouble-too-large = Lähetit enemmän tekstiä kuin Polku ottaa vastaan. Lyhennä ja yritä uudelleen.
trouble-title-too-many = Liian monta pyyntöä
trouble-too-many = Avainta käytetään juuri nyt hyvin tiheään. Odota hetki ja yritä uudelleen.
trouble-title-unreadable = Pyyntöä ei ymmärretty
trouble-unreadable = Osoitteessa tai lomakkeessa on jotain, mitä Polku ei tunne.
trouble-title-unavailable = Yritä hetken kuluttua
trouble-unavailable = Polku ei juuri nyt pysty tallentamaan. Mitään ei tehty; yritä hetken kuluttua uudelleen.
trouble-title-internal = Jokin meni vikaan
trouble-internal = Vika on Polussa, ei sinussa. Siitä on jäänyt merkintä ylläpidolle.

## Times

length-units = pv h min
length-under-a-minute = alle 1 min
length-minutes = { $minutes } min
length-hours = { $hours } h
length-hours-minutes = { $hours } h { $minutes } min
length-days = { $days } pv
length-days-hours = { $days } pv { $hours } h
moment-today = tänään klo { $time }
moment-yesterday = eilen klo { $time }
moment-tomorrow = huomenna klo { $time }
moment-date = { $date } klo { $time }
weekday-mon = ma
weekday-tue = ti
weekday-wed = ke
weekday-thu = to
weekday-fri = pe
weekday-sat = la
weekday-sun = su
month-1 = tammi
month-2 = helmi
month-3 = maalis
month-4 = huhti
month-5 = touko
month-6 = kesä
month-7 = heinä
month-8 = elo
month-9 = syys
month-10 = loka
month-11 = marras
month-12 = joulu
